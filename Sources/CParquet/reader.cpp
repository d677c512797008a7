#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <memory>
#include <utility>
#include <vector>

#include "CParquet.h"
#include "guard.h"

struct parquet_reader {
  explicit parquet_reader(const parquet_read_options &options)
      : options(options), own_pool(cparquet::memory_pool()),
        pool(&own_pool, options.memory_limit) {}

  const parquet_read_options options;
  /// Counts what this reader allocates, where the pool counts the whole process.
  arrow::ProxyMemoryPool own_pool;
  arrow::CappedMemoryPool pool;
  std::shared_ptr<parquet::FileMetaData> metadata;
  parquet::ArrowReaderProperties properties;
  std::shared_ptr<arrow::Schema> schema;
  /// Each top-level field's leaf column; -1 for a nested field.
  std::vector<int32_t> leaves;
  std::vector<int64_t> row_group_rows;
};

namespace {

/// Whether every data page of the column chunk refers to a dictionary: then each distinct string
/// is decoded once. Writers that leave the page counts out are taken to mix encodings.
bool is_all_dictionary(const parquet::ColumnChunkMetaData &chunk) {
  if (!chunk.has_dictionary_page()) return false;
  bool has_data = false;
  for (const auto &stats : chunk.encoding_stats()) {
    const bool is_data = stats.page_type == parquet::PageType::DATA_PAGE ||
                         stats.page_type == parquet::PageType::DATA_PAGE_V2;
    if (!is_data || stats.count == 0) continue;
    has_data = true;
    if (stats.encoding != parquet::Encoding::RLE_DICTIONARY &&
        stats.encoding != parquet::Encoding::PLAIN_DICTIONARY) {
      return false;
    }
  }
  return has_data;
}

parquet::ArrowReaderProperties reader_properties(const parquet_reader &reader) {
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);  // the bytes are in memory already
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  const auto &metadata = *reader.metadata;
  for (int column = 0; column < metadata.num_columns(); ++column) {
    const auto *descriptor = metadata.schema()->Column(column);
    if (descriptor->physical_type() != parquet::Type::BYTE_ARRAY) continue;
    if (descriptor->max_repetition_level() > 0) continue;
    bool is_dictionary = metadata.num_row_groups() > 0;
    for (int group = 0; group < metadata.num_row_groups() && is_dictionary; ++group) {
      is_dictionary = is_all_dictionary(*metadata.RowGroup(group)->ColumnChunk(column));
    }
    properties.set_read_dictionary(column, is_dictionary);
  }
  return properties;
}

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> file_reader(
    parquet_reader &reader, const uint8_t *bytes, int64_t size, int64_t batch_rows = 0) {
  auto source = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::Wrap(bytes, size));
  parquet::ReaderProperties properties(&reader.pool);
  properties.set_page_checksum_verification(true);
  auto file = parquet::ParquetFileReader::Open(std::move(source), properties, reader.metadata);
  if (reader.metadata == nullptr) {
    reader.metadata = file->metadata();
    reader.properties = reader_properties(reader);
  }
  auto arrow_properties = reader.properties;
  if (batch_rows > 0) arrow_properties.set_batch_size(batch_rows);
  return parquet::arrow::FileReader::Make(&reader.pool, std::move(file), arrow_properties);
}

arrow::Status open(parquet_reader &reader, const uint8_t *bytes, int64_t size) {
  ARROW_ASSIGN_OR_RAISE(auto file, file_reader(reader, bytes, size));
  ARROW_RETURN_NOT_OK(file->GetSchema(&reader.schema));
  for (const auto &field : file->manifest().schema_fields) {
    reader.leaves.push_back(field.children.empty() ? field.column_index : -1);
  }
  for (int group = 0; group < reader.metadata->num_row_groups(); ++group) {
    const int64_t rows = reader.metadata->RowGroup(group)->num_rows();
    if (rows < 0) return arrow::Status::Invalid("row group ", group, " has ", rows, " rows");
    reader.row_group_rows.push_back(rows);
  }
  return arrow::Status::OK();
}

/// Arrow checks row groups and columns only in part, and indexes with them.
arrow::Status check_range(const char *what, int32_t value, int32_t count) {
  if (value >= 0 && value < count) return arrow::Status::OK();
  return arrow::Status::IndexError(what, " ", value, " of ", count);
}

arrow::Status check_ranges(const parquet_reader &reader, const std::vector<int> &groups,
                           const std::vector<int> &columns) {
  for (const int group : groups) {
    ARROW_RETURN_NOT_OK(check_range("row group", group, parquet_row_group_count(&reader)));
  }
  for (const int column : columns) {
    ARROW_RETURN_NOT_OK(check_range("column", column, reader.metadata->num_columns()));
  }
  return arrow::Status::OK();
}

}  // namespace

struct parquet_batches {
  /// Must outlive `batches`.
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::unique_ptr<arrow::RecordBatchReader> batches;
};

char *parquet_open(const uint8_t *bytes, int64_t size, const parquet_read_options *options,
                   parquet_reader **reader) {
  *reader = nullptr;
  return cparquet::guarded([&] {
    auto opened = std::make_unique<parquet_reader>(*options);
    ARROW_RETURN_NOT_OK(open(*opened, bytes, size));
    *reader = opened.release();
    return arrow::Status::OK();
  });
}

int32_t parquet_row_group_count(const parquet_reader *reader) {
  return static_cast<int32_t>(reader->row_group_rows.size());
}

int64_t parquet_row_group_rows(const parquet_reader *reader, int32_t row_group) {
  if (row_group < 0 || row_group >= parquet_row_group_count(reader)) return -1;
  return reader->row_group_rows[row_group];
}

char *parquet_schema(const parquet_reader *reader, ArrowSchema *schema) {
  return cparquet::guarded([&] { return arrow::ExportSchema(*reader->schema, schema); });
}

int32_t parquet_leaf(const parquet_reader *reader, int32_t position) {
  if (position < 0 || position >= static_cast<int32_t>(reader->leaves.size())) return -1;
  return reader->leaves[position];
}

char *parquet_read(parquet_reader *reader, const uint8_t *bytes, int64_t size,
                   const int32_t *row_groups, int32_t row_group_count, const int32_t *leaves,
                   int32_t leaf_count, ArrowSchema *schema, ArrowArray *array) {
  return cparquet::guarded([&] {
    const std::vector<int> groups(row_groups, row_groups + row_group_count);
    const std::vector<int> columns(leaves, leaves + leaf_count);
    ARROW_RETURN_NOT_OK(check_ranges(*reader, groups, columns));
    ARROW_ASSIGN_OR_RAISE(auto file, file_reader(*reader, bytes, size));
    ARROW_ASSIGN_OR_RAISE(auto table, file->ReadRowGroups(groups, columns));
    ARROW_ASSIGN_OR_RAISE(auto batch, table->CombineChunksToBatch(&reader->pool));
    // Cheap: lengths and buffer sizes. Dictionary indices and UTF-8 are checked as they are read.
    ARROW_RETURN_NOT_OK(batch->Validate());
    return arrow::ExportRecordBatch(*batch, array, schema);
  });
}

char *parquet_batches_open(parquet_reader *reader, const uint8_t *bytes, int64_t size,
                           int32_t row_group, const int32_t *leaves, int32_t leaf_count,
                           int64_t batch_rows, parquet_batches **batches) {
  *batches = nullptr;
  return cparquet::guarded([&] {
    const std::vector<int> columns(leaves, leaves + leaf_count);
    ARROW_RETURN_NOT_OK(check_ranges(*reader, {row_group}, columns));
    auto opened = std::make_unique<parquet_batches>();
    ARROW_ASSIGN_OR_RAISE(opened->file, file_reader(*reader, bytes, size, batch_rows));
    ARROW_ASSIGN_OR_RAISE(opened->batches, opened->file->GetRecordBatchReader({row_group}, columns));
    *batches = opened.release();
    return arrow::Status::OK();
  });
}

char *parquet_batches_next(parquet_batches *batches, ArrowSchema *schema, ArrowArray *array) {
  return cparquet::guarded([&] {
    ARROW_ASSIGN_OR_RAISE(auto batch, batches->batches->Next());
    if (batch == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(batch->Validate());
    return arrow::ExportRecordBatch(*batch, array, schema);
  });
}

void parquet_batches_close(parquet_batches *batches) { delete batches; }

void parquet_close(parquet_reader *reader) { delete reader; }
