/* Remembers in this browser what the reader has ticked under "What you can do now", and shows
 * in the contents how much of each chapter is ticked. Nothing is sent anywhere. */
(function () {
  const page = location.pathname.split("/").pop() || "index.html";
  const boxes = document.querySelectorAll(".task-list-item input[type=checkbox]");
  const key = (name) => `progress:${name}`;
  const read = (name) => JSON.parse(localStorage.getItem(key(name)) || "null");

  function save() {
    const ticked = Array.from(boxes, (box) => box.checked);
    localStorage.setItem(key(page), JSON.stringify(ticked));
  }

  if (page !== "print.html") {
    const ticked = read(page) || [];
    boxes.forEach((box, i) => {
      box.disabled = false;
      box.checked = ticked[i] === true;
      box.addEventListener("change", save);
    });
  }

  if (page === "index.html") {
    for (const link of document.querySelectorAll("td:first-child > a[href]")) {
      const ticked = read(link.getAttribute("href"));
      if (ticked && ticked.length > 0) {
        const mark = document.createElement("span");
        mark.className = "progress";
        mark.textContent = ` ${ticked.filter(Boolean).length}/${ticked.length}`;
        link.after(mark);
      }
    }
  }
})();
