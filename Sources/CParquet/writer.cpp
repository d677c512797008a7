#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <memory>

#include "CParquet.h"
#include "guard.h"

namespace {

std::shared_ptr<parquet::WriterProperties> file_properties(const parquet_write_options &options) {
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_6)
      ->memory_pool(cparquet::memory_pool())
      ->max_row_group_length(options.row_group_rows)
      ->enable_statistics()
      // Zstandard frames carry no checksum here, so a page's own is what finds a flipped bit.
      ->enable_page_checksum();
  if (options.compression_level > 0) {
    builder.compression(arrow::Compression::ZSTD)->compression_level(options.compression_level);
  }
  if (options.dictionary_bytes > 0) {
    builder.enable_dictionary()->dictionary_pagesize_limit(options.dictionary_bytes);
  } else {
    builder.disable_dictionary();
  }
  return builder.build();
}

arrow::Status write(const std::shared_ptr<arrow::RecordBatch> &batch,
                    const parquet_write_options &options, parquet_buffer *file) {
  auto *pool = cparquet::memory_pool();
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create(1 << 16, pool));
  const bool is_threaded = batch->num_rows() >= options.threaded_rows;
  auto arrow_properties =
      parquet::ArrowWriterProperties::Builder().set_use_threads(is_threaded)->build();
  ARROW_ASSIGN_OR_RAISE(
      auto writer, parquet::arrow::FileWriter::Open(*batch->schema(), pool, sink,
                                                    file_properties(options), arrow_properties));
  if (is_threaded) {
    // Row groups whose columns are encoded side by side, and lie in the file as they would.
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  } else {
    ARROW_ASSIGN_OR_RAISE(auto table, arrow::Table::FromRecordBatches({batch}));
    ARROW_RETURN_NOT_OK(writer->WriteTable(*table, options.row_group_rows));
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(auto buffer, sink->Finish());
  auto owner = std::make_unique<std::shared_ptr<arrow::Buffer>>(std::move(buffer));
  file->bytes = (*owner)->data();
  file->size = (*owner)->size();
  file->owner = owner.release();
  return arrow::Status::OK();
}

}  // namespace

char *parquet_write(ArrowSchema *schema, ArrowArray *array, const parquet_write_options *options,
                    parquet_buffer *file) {
  *file = parquet_buffer{nullptr, 0, nullptr};
  char *error = cparquet::guarded([&] {
    if (options->row_group_rows < 1) return arrow::Status::Invalid("row groups of no rows");
    ARROW_ASSIGN_OR_RAISE(auto batch, arrow::ImportRecordBatch(array, schema));
    return write(batch, *options, file);
  });
  // Importing takes both over; when it didn't come to that, they are still to be released.
  if (array->release != nullptr) array->release(array);
  if (schema->release != nullptr) schema->release(schema);
  return error;
}

void parquet_buffer_free(parquet_buffer *file) {
  delete static_cast<std::shared_ptr<arrow::Buffer> *>(file->owner);
  *file = parquet_buffer{nullptr, 0, nullptr};
}

void parquet_error_free(char *error) { std::free(error); }
