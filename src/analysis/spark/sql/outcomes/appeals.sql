-- Made from outcomes/appeals.sql by tools/spark_sql.py; do not edit.

-- name: claim_numbers
SELECT
  k.claim_key,
  UPPER(TRIM(c.patient_control_number)) AS control_number
FROM claims AS c
INNER JOIN version_keys AS k
  ON k.claim_version_id = c.claim_version_id
WHERE
  UPPER(TRIM(c.patient_control_number)) IN (
    SELECT
      UPPER(TRIM(patient_control_number))
    FROM appeals
  )
UNION
SELECT
  k.claim_key,
  UPPER(TRIM(r.patient_control_number))
FROM remittances AS r
INNER JOIN remittance_keys AS k
  ON k.remittance_id = r.remittance_id
WHERE
  UPPER(TRIM(r.patient_control_number)) IN (
    SELECT
      UPPER(TRIM(patient_control_number))
    FROM appeals
  )

-- name: recorded_appeals
SELECT
  *
FROM (
  SELECT
    a.*,
    n.claim_key,
    ROW_NUMBER() OVER (
      PARTITION BY a.appeal_id
      ORDER BY CASE
        WHEN d.first_determination IN ('denied', 'partially_approved')
        AND COALESCE(d.first_date <= a.filed_date, TRUE)
        THEN 0
        ELSE 1
      END NULLS LAST, d.first_date DESC, n.claim_key NULLS LAST
    ) AS choice
  FROM appeals AS a
  LEFT JOIN claim_numbers AS n
    ON n.control_number = UPPER(TRIM(a.patient_control_number))
  LEFT JOIN claim_histories AS d
    ON d.claim_key = n.claim_key
) AS ranked
WHERE
  choice = 1

-- name: heard_appeals
SELECT
  appeal_id,
  remittance_key
FROM (
  SELECT
    a.appeal_id,
    d.remittance_key,
    ROW_NUMBER() OVER (
      PARTITION BY d.remittance_key
      ORDER BY a.filed_date DESC, a.level DESC, a.appeal_id NULLS LAST
    ) AS from_last_filed,
    ROW_NUMBER() OVER (
      PARTITION BY a.appeal_id
      ORDER BY d.answer_number NULLS LAST, d.remittance_key NULLS LAST
    ) AS from_first_heard
  FROM recorded_appeals AS a
  INNER JOIN appeal_decisions AS d
    ON d.claim_key = a.claim_key AND COALESCE(d.payment_date >= a.filed_date, TRUE)
) AS pairs
WHERE
  from_last_filed = 1 AND from_first_heard = 1

-- name: all_appeals
SELECT
  COALESCE(p.appeal_id, r.remittance_id) AS appeal_outcome_id,
  c.claim_id,
  p.appeal_id,
  p.level,
  p.filed_date,
  p.deadline_date,
  p.deadline_source,
  p.is_filed_late,
  p.assisted_by,
  p.recorded_date,
  p.recorded_outcome,
  r.remittance_id,
  d.payment_date AS remittance_date,
  d.remittance_outcome,
  d.codes AS evidence_codes,
  d.won_cents,
  d.answer_number
FROM (
  SELECT
    a.appeal_id,
    a.claim_key,
    a.level,
    a.filed_date,
    a.deadline_date,
    a.deadline_source,
    a.filed_date > a.deadline_date AS is_filed_late,
    a.assisted_by,
    a.decision_date AS recorded_date,
    a.outcome AS recorded_outcome,
    h.remittance_key
  FROM recorded_appeals AS a
  LEFT JOIN heard_appeals AS h
    ON h.appeal_id = a.appeal_id
  UNION ALL
  SELECT
    NULL,
    claim_key,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL,
    remittance_key
  FROM appeal_decisions
  WHERE
    NOT remittance_key IN (
      SELECT
        remittance_key
      FROM heard_appeals
    )
) AS p
LEFT JOIN appeal_decisions AS d
  ON d.remittance_key = p.remittance_key
LEFT JOIN remittance_keys AS r
  ON r.remittance_key = p.remittance_key
LEFT JOIN claim_keys AS c
  ON c.claim_key = p.claim_key

-- name: appeal_outcomes
SELECT
  appeal_outcome_id,
  claim_id,
  ROW_NUMBER() OVER (
    PARTITION BY COALESCE(claim_id, appeal_outcome_id)
    ORDER BY COALESCE(filed_date, remittance_date) NULLS LAST, COALESCE(remittance_date, recorded_date) NULLS LAST, level NULLS LAST, appeal_outcome_id NULLS LAST
  ) AS appeal_number,
  appeal_id,
  level,
  filed_date,
  deadline_date,
  deadline_source,
  is_filed_late,
  assisted_by,
  recorded_date,
  recorded_outcome,
  remittance_id,
  remittance_date,
  remittance_outcome,
  evidence_codes,
  won_cents,
  CASE
    WHEN appeal_id IS NULL
    THEN 'not_recorded'
    WHEN remittance_outcome IS NULL AND COALESCE(recorded_outcome, 'pending') = 'pending'
    THEN 'open'
    WHEN remittance_outcome IS NULL
    THEN 'recorded_only'
    WHEN COALESCE(recorded_outcome, 'pending') = 'pending'
    THEN 'not_updated'
    WHEN recorded_outcome = remittance_outcome
    THEN 'agree'
    WHEN recorded_outcome = 'upheld' AND remittance_outcome = 'dismissed'
    THEN 'agree'
    ELSE 'disagree'
  END AS agreement,
  COALESCE(remittance_outcome, recorded_outcome, 'pending') AS outcome
FROM all_appeals
ORDER BY
  claim_id NULLS LAST,
  appeal_number NULLS LAST

-- name: last_appeals
SELECT
  claim_id,
  outcome
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY claim_id ORDER BY appeal_number DESC) AS from_last
  FROM appeal_outcomes
  WHERE
    NOT outcome IN ('pending', 'withdrawn')
) AS ranked
WHERE
  from_last = 1
