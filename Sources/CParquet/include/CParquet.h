// Parquet files in memory, over Arrow C++, as plain C. Columns cross as Arrow's C data interface
// (https://arrow.apache.org/docs/format/CDataInterface.html).
//
// Every function that can fail returns NULL on success, otherwise a text that says why; free it
// with parquet_error_free. Nothing throws, and no bytes, however broken, may crash the caller.
#ifndef CPARQUET_H
#define CPARQUET_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

/// A type: its format string, name, metadata and children.
struct ArrowSchema {
  const char *format;
  const char *name;
  const char *metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema **children;
  struct ArrowSchema *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

/// A column's buffers, or a batch's columns as children.
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void **buffers;
  struct ArrowArray **children;
  struct ArrowArray *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

/// How a file is written.
struct parquet_write_options {
  /// Zstandard's level, 1 (fast) to 22 (small); 0 for pages that aren't compressed.
  int32_t compression_level;
  /// The most rows of a row group, at least 1.
  int64_t row_group_rows;
  /// The most bytes of a column's dictionary in a row group; 0 turns dictionaries off.
  int64_t dictionary_bytes;
  /// From so many rows on the columns are encoded on several threads.
  int64_t threaded_rows;
};

/// Bytes that the shim owns; free them with parquet_buffer_free.
struct parquet_buffer {
  const uint8_t *bytes;
  int64_t size;
  void *owner;
};

/// Encodes one record batch as a Parquet file. Takes over `schema` and `array`: both are released
/// when it returns, whatever it returns.
char *parquet_write(struct ArrowSchema *schema, struct ArrowArray *array,
                    const struct parquet_write_options *options, struct parquet_buffer *file);

/// Frees a written file.
void parquet_buffer_free(struct parquet_buffer *file);

/// How a file is read.
struct parquet_read_options {
  /// The most bytes that decoding may hold at once: what a forged size in a broken file can cost.
  int64_t memory_limit;
};

/// A file's footer; several threads may read with it at once. It keeps no pointer to the file's
/// bytes: each call that needs them takes them, and they must be the same each time.
struct parquet_reader;

/// Parses the footer of the file in `bytes`.
char *parquet_open(const uint8_t *bytes, int64_t size, const struct parquet_read_options *options,
                   struct parquet_reader **reader);

/// How many row groups the file has.
int32_t parquet_row_group_count(const struct parquet_reader *reader);

/// How many rows the row group has, or -1 when there is no such row group.
int64_t parquet_row_group_rows(const struct parquet_reader *reader, int32_t row_group);

/// The file's top-level fields as a struct type. Field ids are metadata under `PARQUET:field_id`.
char *parquet_schema(const struct parquet_reader *reader, struct ArrowSchema *schema);

/// The leaf column of the top-level field at `position`, or -1 when the field is nested or absent.
int32_t parquet_leaf(const struct parquet_reader *reader, int32_t position);

/// Decodes leaf columns of row groups into one struct array, whose children are in the order of the
/// file's fields. Release both results before parquet_close.
char *parquet_read(struct parquet_reader *reader, const uint8_t *bytes, int64_t size,
                   const int32_t *row_groups, int32_t row_group_count, const int32_t *leaves,
                   int32_t leaf_count, struct ArrowSchema *schema, struct ArrowArray *array);

/// A row group that is decoded a batch of rows at a time.
struct parquet_batches;

/// Begins to decode leaf columns of one row group, at most `batch_rows` rows at a time. `bytes` must
/// stay where they are until parquet_batches_close, which goes before parquet_close.
char *parquet_batches_open(struct parquet_reader *reader, const uint8_t *bytes, int64_t size,
                           int32_t row_group, const int32_t *leaves, int32_t leaf_count,
                           int64_t batch_rows, struct parquet_batches **batches);

/// Decodes the next rows into one struct array, as parquet_read does; at the end `array` is left
/// without a release function.
char *parquet_batches_next(struct parquet_batches *batches, struct ArrowSchema *schema,
                           struct ArrowArray *array);

/// Frees what parquet_batches_open made.
void parquet_batches_close(struct parquet_batches *batches);

/// Frees the reader.
void parquet_close(struct parquet_reader *reader);

/// Frees an error's text.
void parquet_error_free(char *error);

#ifdef __cplusplus
}
#endif

#endif  // CPARQUET_H
