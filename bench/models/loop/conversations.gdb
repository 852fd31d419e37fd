# Lists every conversation of the coroutines: the socket of its client, what it does,
# and where it waits. A debugger knows threads; these are only stacks. Use it so:
#   gdb -p $(pgrep -x coroutines) -batch -x bench/models/loop/conversations.gdb
python
import gdb

REGISTERS = {"x86-64": (("r15", "r14", "r13", "r12", "rbx", "rbp"), "rip", "rsp"),
             "aarch64": (("x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
                          "x28", "x29", "pc"), "pc", "sp")}

def conversations(loop):
    left, socket = int(loop["alive"]), 0
    while left > 0:
        if loop["all"][socket]["run"]:
            left -= 1
            yield loop["all"][socket]
        socket += 1

def stand_on(one):
    """Sets the registers as the switch of stacks would."""
    at = one["stack"]["pointer"].cast(gdb.lookup_type("unsigned long").pointer())
    arch = "x86-64" if "x86-64" in gdb.selected_frame().architecture().name() else "aarch64"
    saved, pc, sp = REGISTERS[arch]
    words = len(saved) + 1 if arch == "x86-64" else 20
    for place, name in enumerate(saved):
        gdb.execute(f"set ${name} = {int(at[place])}")
    if arch == "x86-64":
        gdb.execute(f"set $rip = {int(at[len(saved)])}")
    gdb.execute(f"set ${sp} = {int(at + words)}")

for thread in gdb.selected_inferior().threads():
    thread.switch()
    loop = gdb.parse_and_eval("loop")
    if not loop:
        continue
    names = [name for row in REGISTERS.values() for name in (*row[0], row[2], row[1])]
    kept = {}
    for name in names:
        value = gdb.parse_and_eval(f"${name}")
        if value.type.code != gdb.TYPE_CODE_VOID:
            kept[name] = int(value.cast(gdb.lookup_type("unsigned long")))
    print(f"loop of thread {thread.num}: {int(loop['alive'])} conversations")
    for one in conversations(loop):
        waits = int(one["count"]) > 0
        print(f"- socket {int(one['client'])}, " + ("waits" if waits else "runs"))
        if waits:
            stand_on(one)
            gdb.execute("backtrace 12")
            for name, value in kept.items():
                gdb.execute(f"set ${name} = {value}")
end
