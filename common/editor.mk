# With what the client edits its lines: the first of these that is installed, or nothing.
EDITORS := -UW,-DWITH_LIBEDIT,-include,editline/readline.h,-ledit \
    -UW,-DWITH_READLINE,-include,stdio.h,-include,readline/readline.h,-lreadline
EDITOR   = $(call once,EDITOR,sh .ci/probe $B/probed-editor link $(CC) $(CFLAGS) -- $(EDITORS))

$B/obj/common/editor.o: ALL_CPPFLAGS += $(filter -DWITH%,$(EDITOR))
$B/lab1-sequential/client: LDLIBS += $(filter -l%,$(EDITOR))
