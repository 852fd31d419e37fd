/* From disk a browser lets a page neither fetch its search index nor start a worker from a
 * file. So both are here as text: INDEX and WORKER, which make_site.py puts in. */
if (location.protocol === "file:") {
  var __search = {
    index: Promise.resolve(INDEX),
    worker: URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })),
  };
}
