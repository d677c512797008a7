# Wrote foreign.parquet, with pyarrow 26.0.1: python foreign.py foreign.parquet
import decimal, sys
import pyarrow as pa, pyarrow.parquet as pq
def ts(unit, tz=None): return pa.array([0, None, -1500, 1790000000], pa.timestamp(unit, tz))
cols = {
  'i8': pa.array([1, None, -128, 127], pa.int8()), 'u8': pa.array([1, None, 0, 255], pa.uint8()),
  'i16': pa.array([1, None, -32768, 3], pa.int16()), 'u16': pa.array([1, None, 65535, 3], pa.uint16()),
  'i32': pa.array([1, None, -2**31, 3], pa.int32()), 'u32': pa.array([1, None, 2**32-1, 3], pa.uint32()),
  'i64': pa.array([1, None, -2**63, 2**63-1], pa.int64()),
  'f32': pa.array([1.5, None, -0.25, 3], pa.float32()), 'f64': pa.array([0.1, None, -1e300, 3], pa.float64()),
  'b': pa.array([True, None, False, True]), 's': pa.array(['a', None, '', '日本🧪 longer than twelve bytes']),
  'ls': pa.array(['a', None, '', '日本🧪 longer than twelve bytes'], pa.large_string()),
  'sv': pa.array(['a', None, 'twelve bytes', '日本🧪 longer than twelve bytes'], pa.string_view()),
  'dict': pa.array(['a', None, 'b', 'a']).dictionary_encode(),
  'date': pa.array([0, None, -1, 20000], pa.date32()), 'date64': pa.array([0, None, -86400000, 86400000*20000], pa.date64()),
  't_ms': pa.array([0, None, 1, 86399999], pa.time32('ms')), 't_us': pa.array([0, None, 1, 86399999999], pa.time64('us')),
  't_ns': pa.array([0, None, 1999, 86399999999999], pa.time64('ns')),
  'ts_s': ts('s'), 'ts_ms': ts('ms'), 'ts_us': ts('us'), 'ts_ns': ts('ns'), 'ts_us_utc': ts('us', 'UTC'),
  'ts_us_paris': ts('us', 'Europe/Paris'),
  'dec': pa.array([decimal.Decimal('1.23'), None, None, None], pa.decimal128(10, 2)),
  'bin': pa.array([b'x', None, b'', b'y']), 'fix': pa.array([b'xx', None, b'yy', b'zz'], pa.binary(2)),
  'list': pa.array([[1], None, [], [2, 3]]), 'struct': pa.array([{'a': 1, 'b': 'x'}, None, {'a': 2, 'b': None}, {'a': 3, 'b': 'y'}]),
  'map': pa.array([[('k', 1)], None, [], []], pa.map_(pa.string(), pa.int64())),
  'u64': pa.array([1, None, 2**64-1, 0], pa.uint64()), 'null': pa.nulls(4), 'f16': pa.array([1.0, None, 2.0, 3.0], pa.float16()),
  'after': pa.array([10, 20, None, 40]),
}
plain = pa.table(cols)
pq.write_table(plain, sys.argv[1], compression='snappy', use_dictionary=False)
