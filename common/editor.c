/* Line editing by callbacks: each byte typed is given to the library, which
 * calls take_line when a line is complete. So the client never waits in it. */

#include "editor.h"

#if defined(WITH_LIBEDIT) || defined(WITH_READLINE)

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#ifdef WITH_LIBEDIT
#include <editline/readline.h>
#else
#include <readline/history.h>
#include <readline/readline.h>
#endif

static bool is_open, has_ended;
static char *line; /* complete, and not yet read */
static struct termios before, editing;

/* The terminal must be left as it was found, whatever ends or stops the client.
 * Only what signal-safety(7) allows. */
static void on_signal(int number)
{
    int reason = errno;
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    signal(number, SIG_DFL);
    raise(number); /* comes when this handler has returned */
    errno = reason;
}

static void on_continue(int number)
{
    int reason = errno;
    (void)number;
    signal(SIGTSTP, on_signal);
    tcsetattr(STDIN_FILENO, TCSANOW, &editing);
    errno = reason;
}

static void close_editor(void)
{
    if (!is_open)
        return;
    is_open = false;
    if (rl_end > 0)
        (void)!write(STDOUT_FILENO, "\n", 1);
    rl_callback_handler_remove();
    signal(SIGCONT, SIG_DFL);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void take_line(char *typed)
{
    has_ended = typed == NULL;
    line = typed;
}

/* libedit gives the terminal back after each line. */
static void begin_line(void)
{
    rl_callback_handler_install("", take_line);
    tcgetattr(STDIN_FILENO, &editing);
}

bool editor_open(void)
{
    const char *terminal = getenv("TERM");
    if (terminal == NULL || strcmp(terminal, "dumb") == 0 ||
        !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) == -1)
        return false;
    setlocale(LC_CTYPE, ""); /* which bytes are one letter */
    rl_catch_signals = 0;
    rl_initialize();
#ifndef WITH_LIBEDIT /* which knows no such setting, and says so */
    rl_variable_bind("enable-bracketed-paste", "off");
#endif
    rl_bind_key('\t', rl_insert); /* not: complete the name of a file */
    using_history();
    is_open = true;
    atexit(close_editor);
    begin_line();
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGTSTP, on_signal);
    signal(SIGCONT, on_continue);
    return true;
}

ssize_t editor_read(char *bytes, size_t size)
{
    if (isatty(STDIN_FILENO)) /* it may have gone away */
        rl_callback_read_char();
    else
        has_ended = true;
    if (has_ended) {
        close_editor();
        return 0;
    }
    if (line == NULL) {
        errno = EINTR;
        return -1;
    }
    size_t length = strlen(line);
    if (length > 0)
        add_history(line);
    if (length > size - 1)
        length = size - 1;
    memcpy(bytes, line, length);
    bytes[length] = '\n';
    free(line);
    line = NULL;
    begin_line();
    return (ssize_t)length + 1;
}

void editor_hide(void)
{
    static const char clear_line[] = "\r\033[K";
    if (is_open && rl_end > 0)
        (void)!write(STDOUT_FILENO, clear_line, sizeof clear_line - 1);
}

void editor_show(bool is_at_line_start)
{
    if (!is_open || rl_end == 0)
        return;
    if (!is_at_line_start)
        (void)!write(STDOUT_FILENO, "\n", 1);
    rl_on_new_line();
    rl_forced_update_display();
}

#else

bool editor_open(void)
{
    return false;
}

ssize_t editor_read(char *bytes, size_t size)
{
    (void)bytes, (void)size;
    return 0;
}

void editor_hide(void)
{
}

void editor_show(bool is_at_line_start)
{
    (void)is_at_line_start;
}

#endif
