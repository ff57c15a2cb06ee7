#include "archive_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "archive_chain.h"
#include "log_rows.h"

enum {
    CHUNK_SIZE = 256 << 10,
    ROOM_SIZE = ARCHIVE_ROW_MAX + CHUNK_SIZE,
    GZIP_WINDOW = 15 + 16, /* zlib's way to say gzip */
    LEVEL = 1              /* a third of the size; the next levels cost twice the time for a tenth of it */
};

struct archive_file {
    char path[ARCHIVE_PATH_SIZE], part[ARCHIVE_PATH_SIZE + 8];
    int fd;
    bool writing, finished;
    z_stream zip;
    EVP_MD_CTX *digest;        /* of the compressed bytes */
    uint64_t bytes;
    uint8_t chunk[CHUNK_SIZE]; /* compressed */
    uint8_t *room;             /* reading: uncompressed bytes [at, end) */
    size_t at, end;
    bool begun, zip_over, rows_over;
};

static archive_file_t *s_new(const char *path, bool writing)
{
    archive_file_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->fd = -1;
    self->writing = writing;
    snprintf(self->path, sizeof self->path, "%s", path);
    snprintf(self->part, sizeof self->part, "%s.part", path);
    self->digest = EVP_MD_CTX_new();
    ZVT_ASSERT(self->digest != NULL && EVP_DigestInit_ex(self->digest, EVP_sha256(), NULL) == 1);
    return self;
}

void archive_file_destroy(archive_file_t **pointer)
{
    archive_file_t *self = *pointer;
    if (self == NULL) return;
    if (self->writing) {
        (void)deflateEnd(&self->zip);
        if (!self->finished) (void)unlink(self->part);
    } else {
        (void)inflateEnd(&self->zip);
    }
    if (self->fd >= 0) close(self->fd);
    EVP_MD_CTX_free(self->digest);
    free(self->room);
    free(self);
    *pointer = NULL;
}

static void s_sum(archive_file_t *self, archive_sum_t *sum)
{
    sum->bytes = self->bytes;
    ZVT_ASSERT(EVP_DigestFinal_ex(self->digest, sum->sha256, NULL) == 1);
}

/* ---- writing ---- */
archive_file_t *archive_file_create(const char *path)
{
    archive_file_t *self = s_new(path, true);
    ZVT_ASSERT(deflateInit2(&self->zip, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    self->fd = open(self->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (self->fd < 0) archive_file_destroy(&self);
    return self;
}

static int s_put(archive_file_t *self, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t written = write(self->fd, self->chunk + done, length - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return ZVT_ERR_IO;
        done += (size_t)written;
    }
    ZVT_ASSERT(EVP_DigestUpdate(self->digest, self->chunk, length) == 1);
    self->bytes += length;
    return 0;
}

static int s_deflate(archive_file_t *self, int flush)
{
    int status;
    do {
        self->zip.next_out = self->chunk;
        self->zip.avail_out = CHUNK_SIZE;
        status = deflate(&self->zip, flush);
        ZVT_ASSERT(status != Z_STREAM_ERROR);
        if (s_put(self, CHUNK_SIZE - self->zip.avail_out) != 0) return ZVT_ERR_IO;
    } while (self->zip.avail_out == 0 || (flush == Z_FINISH && status != Z_STREAM_END));
    return 0;
}

int archive_file_write(archive_file_t *self, const void *data, size_t length)
{
    self->zip.next_in = (Bytef *)(uintptr_t)data;
    self->zip.avail_in = (uInt)length;
    return s_deflate(self, Z_NO_FLUSH);
}

static int s_sync_folder(const char *path)
{
    char copy[ARCHIVE_PATH_SIZE];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ZVT_ERR_IO;
    int status = fsync(fd) == 0 ? 0 : ZVT_ERR_IO;
    close(fd);
    return status;
}

/* Whether a file of that name is there already, and is another one: 0 or ZVT_ERR_EXISTS. */
static int s_look_for_another(const char *path, const archive_sum_t *sum)
{
    uint8_t hash[ARCHIVE_SHA_SIZE];
    uint8_t *chunk = malloc(CHUNK_SIZE);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    ZVT_ASSERT(chunk != NULL && digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1);
    FILE *file = fopen(path, "re");
    bool there = file != NULL || errno != ENOENT;
    size_t count;
    while (file != NULL && (count = fread(chunk, 1, CHUNK_SIZE, file)) > 0) ZVT_ASSERT(EVP_DigestUpdate(digest, chunk, count) == 1);
    ZVT_ASSERT(EVP_DigestFinal_ex(digest, hash, NULL) == 1);
    bool same = file != NULL && !ferror(file) && memcmp(hash, sum->sha256, sizeof hash) == 0;
    if (file != NULL) fclose(file);
    EVP_MD_CTX_free(digest);
    free(chunk);
    return there && !same ? ZVT_ERR_EXISTS : 0;
}

int archive_file_finish(archive_file_t *self, archive_sum_t *sum)
{
    if (s_deflate(self, Z_FINISH) != 0 || fsync(self->fd) != 0) return ZVT_ERR_IO;
    s_sum(self, sum);
    int status = s_look_for_another(self->path, sum);
    if (status != 0) return status;
    if (rename(self->part, self->path) != 0) return ZVT_ERR_IO;
    self->finished = true;
    return s_sync_folder(self->path);
}

/* ---- reading ---- */
archive_file_t *archive_file_open(const char *path)
{
    archive_file_t *self = s_new(path, false);
    ZVT_ASSERT(inflateInit2(&self->zip, GZIP_WINDOW) == Z_OK);
    self->room = malloc(ROOM_SIZE);
    ZVT_ASSERT(self->room != NULL);
    self->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (self->fd < 0) archive_file_destroy(&self);
    return self;
}

/* More compressed bytes: 1, 0 at the file's end, ZVT_ERR_IO. */
static int s_get(archive_file_t *self)
{
    ssize_t count;
    do count = read(self->fd, self->chunk, CHUNK_SIZE);
    while (count < 0 && errno == EINTR);
    if (count < 0) return ZVT_ERR_IO;
    ZVT_ASSERT(EVP_DigestUpdate(self->digest, self->chunk, (size_t)count) == 1);
    self->bytes += (uint64_t)count;
    self->zip.next_in = self->chunk;
    self->zip.avail_in = (uInt)count;
    return count > 0;
}

/* More uncompressed bytes behind those that are here: 1, 0 at the end, or an error. */
static int s_inflate(archive_file_t *self)
{
    if (self->zip_over) return 0;
    memmove(self->room, self->room + self->at, self->end - self->at);
    self->end -= self->at;
    self->at = 0;
    if (self->end == ROOM_SIZE) return ZVT_ERR_CORRUPT; /* no row is that long */
    /* At the end of the file zlib may still hold something back; when it does not, the file is cut off. */
    if (self->zip.avail_in == 0 && s_get(self) < 0) return ZVT_ERR_IO;
    self->zip.next_out = self->room + self->end;
    self->zip.avail_out = (uInt)(ROOM_SIZE - self->end);
    int status = inflate(&self->zip, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) return ZVT_ERR_CORRUPT;
    self->end = ROOM_SIZE - self->zip.avail_out;
    self->zip_over = status == Z_STREAM_END;
    return 1;
}

/* Passes over the stream's header. */
static int s_begin(archive_file_t *self)
{
    int got = 1;
    while (got == 1 && self->end - self->at < LOG_ROWS_HEADER) got = s_inflate(self);
    if (got != 1) return got == 0 ? ZVT_ERR_CORRUPT : got;
    self->begun = true;
    if (memcmp(self->room, "PGCOPY\n\377\r\n\0", 11) != 0) return ZVT_ERR_CORRUPT;
    self->at += LOG_ROWS_HEADER;
    return 0;
}

int archive_file_row(archive_file_t *self, unsigned columns, const uint8_t **row, size_t *length)
{
    int status = self->begun ? 0 : s_begin(self), got = 1;
    if (status != 0 || self->rows_over) return status;
    int64_t found = archive_row_length(self->room + self->at, self->end - self->at, columns);
    while (found == 0 && got == 1) {
        got = s_inflate(self);
        if (got == 1) found = archive_row_length(self->room + self->at, self->end - self->at, columns);
    }
    if (found <= 0) return found < 0 || got == 0 ? ZVT_ERR_CORRUPT : got;
    *row = self->room + self->at;
    *length = (size_t)found;
    self->at += *length;
    self->rows_over = found == 2;
    return self->rows_over ? 0 : 1;
}

int archive_file_sum(archive_file_t *self, archive_sum_t *sum)
{
    int got = 1;
    if (!self->rows_over || self->at != self->end) return ZVT_ERR_CORRUPT;
    while (!self->zip_over && got == 1) {
        got = s_inflate(self);
        if (self->at != self->end) return ZVT_ERR_CORRUPT;
    }
    if (got < 0) return got;
    if (self->zip.avail_in != 0) return ZVT_ERR_CORRUPT;
    got = s_get(self);
    if (got != 0) return got == 1 ? ZVT_ERR_CORRUPT : got;
    s_sum(self, sum);
    return 0;
}
