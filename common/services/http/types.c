/* The table of media types, most of them as Debian's mime.types has them. What
 * a browser can show as text is text, so that it is not downloaded. */

#include "types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>

#include "services/utf8.h"

#define TEXT "text/plain; charset=utf-8"

/* With a space behind each ending. */
static const struct {
    const char *type;
    const char *endings;
} types[] = {
    {"text/html; charset=utf-8", "html htm xhtml "},
    {"text/css; charset=utf-8", "css "},
    {"text/javascript; charset=utf-8", "js mjs "},
    {"text/markdown; charset=utf-8", "md markdown "},
    {"text/csv; charset=utf-8", "csv "},
    {"text/tab-separated-values; charset=utf-8", "tsv "},
    {"text/calendar; charset=utf-8", "ics "},
    {"text/vcard; charset=utf-8", "vcf "},
    {"text/vtt; charset=utf-8", "vtt "},
    {"text/xml; charset=utf-8", "xml xsd xsl "},
    {TEXT,
     "txt text log conf cfg ini c h cc cpp cxx hh hpp py rb pl pm java kt "
     "go rs swift ts tsx jsx cs php lua r jl m s asm sh bash zsh bat ps1 "
     "sql mk mak make cmake tex bib rst adoc org gp dat diff patch srt sub "
     "toml yaml yml env properties gradle in am ac el lisp hs ml scala "
     "asc pem "},
    {"application/json", "json map "},
    {"application/manifest+json", "webmanifest "},
    {"application/x-ndjson", "ndjson jsonl "},
    {"application/atom+xml", "atom "},
    {"application/rss+xml", "rss "},
    {"application/wasm", "wasm "},
    {"application/pdf", "pdf "},
    {"application/postscript", "ps eps "},
    {"application/rtf", "rtf "},
    {"application/epub+zip", "epub "},
    {"application/zip", "zip "},
    {"application/gzip", "gz tgz "},
    {"application/x-bzip2", "bz2 "},
    {"application/x-xz", "xz "},
    {"application/zstd", "zst "},
    {"application/x-tar", "tar "},
    {"application/x-7z-compressed", "7z "},
    {"application/vnd.rar", "rar "},
    {"application/java-archive", "jar "},
    {"application/vnd.debian.binary-package", "deb "},
    {"application/x-ipynb+json", "ipynb "},
    {"application/msword", "doc "},
    {"application/vnd.ms-excel", "xls "},
    {"application/vnd.ms-powerpoint", "ppt "},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
     "docx "},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "xlsx "},
    {"application/"
     "vnd.openxmlformats-officedocument.presentationml.presentation",
     "pptx "},
    {"application/vnd.oasis.opendocument.text", "odt "},
    {"application/vnd.oasis.opendocument.spreadsheet", "ods "},
    {"application/vnd.oasis.opendocument.presentation", "odp "},
    {"image/svg+xml", "svg "},
    {"image/png", "png "},
    {"image/apng", "apng "},
    {"image/jpeg", "jpg jpeg jpe "},
    {"image/gif", "gif "},
    {"image/webp", "webp "},
    {"image/avif", "avif "},
    {"image/heic", "heic "},
    {"image/jxl", "jxl "},
    {"image/bmp", "bmp "},
    {"image/tiff", "tif tiff "},
    {"image/vnd.microsoft.icon", "ico "},
    {"audio/mpeg", "mp3 "},
    {"audio/mp4", "m4a m4b "},
    {"audio/aac", "aac "},
    {"audio/ogg", "ogg oga opus spx "},
    {"audio/flac", "flac "},
    {"audio/x-wav", "wav "},
    {"audio/midi", "mid midi "},
    {"audio/webm", "weba "},
    {"video/mp4", "mp4 m4v "},
    {"video/mpeg", "mpg mpeg "},
    {"video/webm", "webm "},
    {"video/ogg", "ogv "},
    {"video/quicktime", "mov "},
    {"video/x-matroska", "mkv "},
    {"video/x-msvideo", "avi "},
    {"font/woff", "woff "},
    {"font/woff2", "woff2 "},
    {"font/ttf", "ttf "},
    {"font/otf", "otf "},
    {"font/collection", "ttc "},
};

/* Is the ending one of the list? */
static bool is_listed(const char *ending, const char *list)
{
    size_t length = strlen(ending);
    for (; *list != '\0'; list = strchr(list, ' ') + 1)
        if (strncasecmp(list, ending, length) == 0 && list[length] == ' ')
            return true;
    return false;
}

/* Does the file begin with text: UTF-8 without control characters but those
 * that separate words and lines? An empty file does not. */
static bool begins_with_text(int file)
{
    char bytes[512];
    ssize_t count = read(file, bytes, sizeof bytes); /* it was just opened */
    size_t size = count > 0 ? (size_t)count : 0, i = 0, length = 1;
    for (; i < size && length > 0; i += length) {
        uint32_t code = 0;
        length = utf8_read(bytes + i, size - i, &code);
        if (length > 0 && code < ' ' &&
            strchr("\t\n\f\r\x1b", (int)code) == NULL)
            return false;
        if (length > 0 && code == '\0')
            return false;
    }
    bool is_cut = length == 0 && size == sizeof bytes &&
                  size - i < UTF8_MAX_LENGTH; /* in a character */
    return size > 0 && (length > 0 || is_cut);
}

const char *http_type_of(const char *name, int file)
{
    const char *dot = strrchr(name, '.');
    for (size_t i = 0;
         dot != NULL && dot[1] != '\0' && i < sizeof types / sizeof *types; i++)
        if (is_listed(dot + 1, types[i].endings))
            return types[i].type;
    return begins_with_text(file) ? TEXT : "application/octet-stream";
}
