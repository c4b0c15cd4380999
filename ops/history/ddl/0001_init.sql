-- The first schema. Each row says which log record it came from (topic, partition, offset): by
-- these a repeated block is found, and each table's key makes a repeat harmless all the same.
-- Every column's codec is by measurement: deltas of times and offsets, no Gorilla on values.

CREATE TABLE IF NOT EXISTS samples
(
    series    UInt64                 CODEC(Delta(8), ZSTD(1)),
    time      DateTime64(3, 'UTC')   CODEC(Delta(8), ZSTD(1)),
    value     Float64                CODEC(ZSTD(3)),
    topic     LowCardinality(String) CODEC(ZSTD(1)),
    partition UInt16                 CODEC(ZSTD(1)),
    offset    UInt64                 CODEC(Delta(8), ZSTD(1)),
    appended  DateTime64(3, 'UTC')   CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
PARTITION BY toYYYYMMDD(time)
ORDER BY (series, time)
TTL toDateTime(time) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

-- What a series id stands for. Rows meet and keep the widest span in which the series was seen.
CREATE TABLE IF NOT EXISTS series
(
    id         UInt64,
    name       LowCardinality(String),
    labels     SimpleAggregateFunction(anyLast, Map(String, String)),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen  SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    topic      SimpleAggregateFunction(anyLast, String),
    partition  SimpleAggregateFunction(anyLast, UInt16),
    offset     SimpleAggregateFunction(max, UInt64),
    appended   SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (name, id)
TTL toDateTime(last_seen) + toIntervalDay($days);

CREATE TABLE IF NOT EXISTS checks
(
    time      DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    instance  LowCardinality(String),
    check     LowCardinality(String),
    target    String CODEC(ZSTD(3)),
    status    LowCardinality(String),
    duration  Float64 CODEC(ZSTD(3)),
    message   String CODEC(ZSTD(3)),
    labels    Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    topic     LowCardinality(String),
    partition UInt16 CODEC(ZSTD(1)),
    offset    UInt64 CODEC(Delta(8), ZSTD(1)),
    appended  DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
PARTITION BY toYYYYMMDD(time)
ORDER BY (check, instance, time)
TTL toDateTime(time) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

-- Every announced level of an alert: changes, and the repeats that keep it alive.
CREATE TABLE IF NOT EXISTS alerts
(
    decided_at    DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    fingerprint   String CODEC(ZSTD(1)),
    name          LowCardinality(String),
    state         LowCardinality(String),
    active_at     DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    starts_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ends_at       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    value         Float64 CODEC(ZSTD(3)),
    changed       Bool,
    reason        String CODEC(ZSTD(3)),
    labels        Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    annotations   Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    source        LowCardinality(String),
    plan          UInt64 CODEC(ZSTD(1)),
    generator_url String CODEC(ZSTD(3)),
    topic         LowCardinality(String),
    partition     UInt16 CODEC(ZSTD(1)),
    offset        UInt64 CODEC(Delta(8), ZSTD(1)),
    appended      DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
PARTITION BY toYYYYMMDD(decided_at)
ORDER BY (fingerprint, decided_at)
TTL toDateTime(decided_at) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

-- What the router decided for a group and a receiver, and why.
CREATE TABLE IF NOT EXISTS decisions
(
    time        DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    id          String CODEC(ZSTD(1)),
    group_key   String CODEC(ZSTD(3)),
    receiver    LowCardinality(String),
    integration UInt16,
    decision    LowCardinality(String),
    reason      LowCardinality(String),
    delivery    String CODEC(ZSTD(1)),
    firing      Array(String) CODEC(ZSTD(3)),
    resolved    Array(String) CODEC(ZSTD(3)),
    topic       LowCardinality(String),
    partition   UInt16 CODEC(ZSTD(1)),
    offset      UInt64 CODEC(Delta(8), ZSTD(1)),
    appended    DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
PARTITION BY toYYYYMMDD(time)
ORDER BY (receiver, group_key, time, id)
TTL toDateTime(time) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

-- A delivery's life: `intended` when the router decided it, then one row for each receipt.
CREATE TABLE IF NOT EXISTS deliveries
(
    at          DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    delivery    String CODEC(ZSTD(1)),
    status      LowCardinality(String),
    attempt     UInt32,
    tries       UInt32,
    group_key   String CODEC(ZSTD(3)),
    receiver    LowCardinality(String),
    integration UInt16,
    channel     LowCardinality(String),
    duration    Float64 CODEC(ZSTD(3)),
    retry_at    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    reason      LowCardinality(String),
    detail      String CODEC(ZSTD(3)),
    alerts      Array(String) CODEC(ZSTD(3)),
    topic       LowCardinality(String),
    partition   UInt16 CODEC(ZSTD(1)),
    offset      UInt64 CODEC(Delta(8), ZSTD(1)),
    appended    DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
PARTITION BY toYYYYMMDD(at)
ORDER BY (delivery, attempt, status, at)
TTL toDateTime(at) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

-- The blocks that the historian wrote, with the log's own append times: a back-test replays by
-- these and sees the same instants. `offset` is the block's first.
CREATE TABLE IF NOT EXISTS batches
(
    time        DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    appended    DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    last_offset UInt64 CODEC(Delta(8), ZSTD(1)),
    rows        UInt32 CODEC(ZSTD(1)),
    topic       LowCardinality(String),
    partition   UInt16,
    offset      UInt64 CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(last_offset)
PARTITION BY toYYYYMMDD(time)
ORDER BY (topic, partition, offset)
TTL toDateTime(time) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

-- For people: plain names, labels beside values, a repeat counted once.
CREATE OR REPLACE VIEW metrics AS
SELECT s.time AS time, n.name AS name, n.labels AS labels, s.value AS value
FROM (SELECT series, time, value FROM samples FINAL) AS s
INNER JOIN (SELECT id, name, labels FROM series FINAL) AS n ON n.id = s.series;

CREATE OR REPLACE VIEW check_history AS
SELECT time, instance, check, target, status, duration, message, labels
FROM checks FINAL;

CREATE OR REPLACE VIEW alert_history AS
SELECT decided_at AS time, name, state, value, reason, labels, annotations, active_at, starts_at,
    ends_at, fingerprint, source
FROM alerts FINAL
WHERE changed;

CREATE OR REPLACE VIEW decision_history AS
SELECT time, receiver, group_key, decision, reason, delivery, firing, resolved
FROM decisions FINAL;

CREATE OR REPLACE VIEW delivery_history AS
SELECT at AS time, delivery, status, attempt, tries, receiver, channel, group_key, duration,
    reason, detail, retry_at, alerts
FROM deliveries FINAL;
