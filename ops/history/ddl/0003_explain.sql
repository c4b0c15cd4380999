-- What a decision rests on. `held` are alerts that were not told; `causes`, at the same place, why
-- not. `route` are matchers from the root on.
ALTER TABLE decisions
    ADD COLUMN IF NOT EXISTS channel   LowCardinality(String),
    ADD COLUMN IF NOT EXISTS route     Array(String) CODEC(ZSTD(3)),
    ADD COLUMN IF NOT EXISTS held      Array(String) CODEC(ZSTD(3)),
    ADD COLUMN IF NOT EXISTS causes    Array(Array(String)) CODEC(ZSTD(3)),
    ADD COLUMN IF NOT EXISTS due       Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS repeat_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS incident  String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS unnamed   UInt64 CODEC(ZSTD(1));

CREATE OR REPLACE VIEW decision_history AS
SELECT time, receiver, channel, group_key, decision, reason, delivery, firing, resolved, held,
    causes, route, due, repeat_at, incident
FROM decisions FINAL;

-- Each message with what became of it; `milliseconds` from the decision to the last answer.
CREATE OR REPLACE VIEW page_history AS
SELECT d.time AS time, d.receiver AS receiver, d.channel AS channel, d.group_key AS group_key,
    d.reason AS reason, d.incident AS incident, d.firing AS firing, d.resolved AS resolved,
    d.delivery AS delivery, if(r.fate = '', 'no answer yet', r.fate) AS status,
    r.attempts AS attempts, r.tries AS tries, r.seconds AS duration, r.answered AS answered,
    if(r.fate = '', NULL, dateDiff('millisecond', d.time, r.answered)) AS milliseconds
FROM
(
    SELECT time, receiver, channel, group_key, reason, incident, firing, resolved, delivery
    FROM decisions FINAL
    WHERE delivery != ''
    LIMIT 1 BY delivery
) AS d
LEFT JOIN
(
    SELECT delivery, argMax(status, (attempt, at)) AS fate, max(attempt) AS attempts,
        sum(tries) AS tries, argMax(duration, (attempt, at)) AS seconds, max(at) AS answered
    FROM deliveries FINAL
    WHERE status != 'intended'
    GROUP BY delivery
) AS r ON r.delivery = d.delivery;
