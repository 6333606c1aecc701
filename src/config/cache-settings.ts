import type { CacheLogLevel } from '../cache/cache-logger.js';
import { choice, flag, integer, text } from './setting-kind.js';
import { assignSettings, Setting } from './setting.js';
import { Settings, type SettingValues } from './settings.js';
import { time } from './time-kind.js';

/** The codecs that a setting can name: `JsonCodec`, and `MsgpackCodec` of `cachewell/msgpack`. */
export type CodecName = 'json' | 'msgpack';

/** The compressors that a setting can name: those of `node:zlib`, and `Lz4Compressor` of `cachewell/lz4`. */
export type CompressionName = 'none' | 'gzip' | 'brotli' | 'lz4' | 'zstd';

const CODECS: readonly CodecName[] = ['json', 'msgpack'];
const COMPRESSIONS: readonly CompressionName[] = ['none', 'gzip', 'brotli', 'lz4', 'zstd'];
const LOG_LEVELS: readonly CacheLogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** What {@link CacheSettings} can be made from. */
export type CacheSettingsValues = Omit<SettingValues<CacheSettings>, 'compressionEnabled'>;

/**
 * How caches behave. `new CacheSettings()` holds the defaults; `loadSettings` fills it from the environment, checks
 * and freezes it. Codec and compression are names: this entry does not load their packages.
 */
export class CacheSettings extends Settings {
  /** Milliseconds that an entry lives when nothing nearer says so; 0 = do not store. @defaultValue 3_600_000 */
  @Setting(
    'DEFAULT_TTL',
    time({ min: 0, allowsNone: true }),
    'How long an entry lives when no cache, decorator or call says so; 0 stores nothing.',
  )
  readonly defaultTtlMs: number = 3_600_000;

  /** Milliseconds that clamp every time to live; `Infinity` = no clamp. @defaultValue 86_400_000 */
  @Setting(
    'MAX_TTL',
    time({ min: 1, allowsNone: true, emptyIsNone: true }),
    'Longer times to live are clamped to this one. An empty text means none too.',
  )
  readonly maxTtlMs: number = 86_400_000;

  /** Milliseconds that a cached `null` lives. Absent: as any other value. */
  @Setting(
    'NULL_TTL',
    time({ min: 0, allowsNone: true }),
    'How long a cached `null` lives, if not as long as any other value.',
  )
  readonly nullTtlMs?: number | undefined;

  /** Whether values are looked up and stored at all. @defaultValue true */
  @Setting('ENABLED', flag(), 'Whether values are looked up and stored at all. Wins over `DEBUG`.')
  readonly enabled: boolean = true;

  /** Whether `DEBUG=true` turns the cache off when `CACHE_ENABLED` says nothing. @defaultValue false */
  @Setting(
    'DISABLE_IN_DEBUG',
    flag(),
    'Whether `DEBUG=true` turns the cache off when `CACHE_ENABLED` is not set.',
  )
  readonly disableInDebug: boolean = false;

  /** First part of every key in a shared store. @defaultValue 'cache' */
  @Setting(
    'PREFIX',
    text({ expected: 'a text without blanks and braces', pattern: /^[^\s{}]+$/ }),
    'First part of every key in a shared store.',
  )
  readonly prefix: string = 'cache';

  /** How values become bytes. @defaultValue 'json' */
  @Setting('CODEC', choice(CODECS), 'How values become bytes.')
  readonly codec: CodecName = 'json';

  /** How bytes are made smaller. @defaultValue 'none' */
  @Setting('COMPRESSION', choice(COMPRESSIONS), 'How bytes are made smaller.')
  readonly compression: CompressionName = 'none';

  /** Whether bytes are made smaller. */
  @Setting(
    'COMPRESSION_ENABLED',
    flag(),
    "`false` turns compression off; `true` turns it on: the named one, else the profile's, else gzip.",
  )
  get compressionEnabled(): boolean {
    return this.compression !== 'none';
  }

  /** Encoded values below this many bytes are not compressed. @defaultValue 1024 */
  @Setting('COMPRESSION_THRESHOLD', integer(0), 'Values below this many bytes are not compressed.')
  readonly compressionThresholdBytes: number = 1024;

  /** HTTP responses above this many bytes are not cached. @defaultValue 10_485_760 */
  @Setting('MAX_RESPONSE_SIZE', integer(1), 'HTTP responses above this many bytes are not cached.')
  readonly maxResponseSizeBytes: number = 10_485_760;

  /** From which gravity on the library logs. Absent: the logger decides. */
  @Setting('LOG_LEVEL', choice(LOG_LEVELS), 'From which gravity on the library logs.')
  readonly logLevel?: CacheLogLevel | undefined;

  /**
   * @param values - settings that differ from the defaults; not checked before `validateSettings`
   * @throws {@link InvalidOptionError} naming a value that is no setting
   */
  constructor(values: CacheSettingsValues = {}) {
    super();
    assignSettings(this, values);
  }
}
