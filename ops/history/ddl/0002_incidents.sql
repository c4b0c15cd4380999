-- The timelines of incidents, line by line, and how each incident stood after the line.
CREATE TABLE IF NOT EXISTS incidents
(
    time            DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    incident        String CODEC(ZSTD(1)),
    number          UInt32 CODEC(ZSTD(1)),
    what            LowCardinality(String),
    by              String CODEC(ZSTD(1)),
    detail          String CODEC(ZSTD(3)),
    state           LowCardinality(String),
    group_key       String CODEC(ZSTD(3)),
    receiver        LowCardinality(String),
    labels          Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    opened_at       DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    acknowledged_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    resolved_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    false_positive  Bool,
    topic           LowCardinality(String),
    partition       UInt16 CODEC(ZSTD(1)),
    offset          UInt64 CODEC(Delta(8), ZSTD(1)),
    appended        DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(offset)
PARTITION BY toYYYYMMDD(time)
ORDER BY (incident, number, time)
TTL toDateTime(time) + toIntervalDay($days)
SETTINGS ttl_only_drop_parts = 1;

CREATE OR REPLACE VIEW incident_history AS
SELECT time, incident, number, what, by, detail, state, receiver, group_key, labels, opened_at,
    acknowledged_at, resolved_at, false_positive
FROM incidents FINAL;
