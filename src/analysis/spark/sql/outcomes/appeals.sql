-- Made from outcomes/appeals.sql by tools/spark_sql.py; do not edit.

-- name: reversal_reasons
SELECT
  a.claim_key,
  a.remittance_key,
  a.answer_number,
  MAX(
    CASE m.remark_code
      WHEN 'N690'
      THEN 'appeal'
      WHEN 'N691'
      THEN 'appeal'
      WHEN 'N11'
      THEN 'appeal'
      WHEN 'N694'
      THEN 'corrected_claim'
      WHEN 'N693'
      THEN 'void'
      WHEN 'N688'
      THEN 'audit'
      WHEN 'N432'
      THEN 'audit'
      WHEN 'N687'
      THEN 'retroactive_change'
      WHEN 'N689'
      THEN 'retroactive_change'
      WHEN 'N692'
      THEN 'retroactive_change'
      WHEN 'N696'
      THEN 'other_insurer'
    END
  ) AS reversal_reason
FROM answers AS a
INNER JOIN keyed_remarks AS m
  ON m.remittance_key = a.remittance_key
WHERE
  a.is_reversal
GROUP BY
  a.claim_key,
  a.remittance_key,
  a.answer_number

-- name: last_reversal_reasons
SELECT
  claim_key,
  reversal_reason
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY claim_key ORDER BY answer_number DESC) AS from_last
  FROM reversal_reasons
  WHERE
    NOT reversal_reason IS NULL
) AS ranked
WHERE
  from_last = 1

-- name: said_of_appeals
SELECT DISTINCT
  remittance_key,
  remark_code AS code
FROM keyed_remarks
WHERE
  remark_code IN ('MA91', 'N690', 'N691', 'N11', 'MA46')
UNION
SELECT DISTINCT
  remittance_key,
  'CARC ' || reason_code
FROM coded_adjustments
WHERE
  reason_code IN ('193', '285', '286', '138') AND amount_cents > 0

-- name: spoken_of
SELECT
  c.claim_key,
  c.remittance_key,
  s.code
FROM said_of_appeals AS s
INNER JOIN answers AS c
  ON c.remittance_key = s.remittance_key
WHERE
  c.is_deciding
UNION
SELECT
  claim_key,
  remittance_key,
  code
FROM (
  SELECT
    c.claim_key,
    c.remittance_key,
    s.code,
    ROW_NUMBER() OVER (PARTITION BY v.remittance_key, s.code ORDER BY c.answer_number NULLS LAST) AS choice
  FROM said_of_appeals AS s
  INNER JOIN answers AS v
    ON v.remittance_key = s.remittance_key
  INNER JOIN answers AS c
    ON c.claim_key = v.claim_key AND c.answer_number > v.answer_number
  WHERE
    v.is_reversal AND c.is_deciding
) AS following
WHERE
  choice = 1

-- name: allowed_before
SELECT
  e.claim_key,
  e.remittance_key,
  e.slot,
  COALESCE(p.allowed_cents, 0) AS before_cents,
  ROW_NUMBER() OVER (
    PARTITION BY e.remittance_key, e.slot
    ORDER BY p.answer_number DESC, p.line_number NULLS LAST
  ) AS choice
FROM events AS e
LEFT JOIN final_answers AS p
  ON p.claim_key = e.claim_key
  AND p.slot = e.slot
  AND p.answer_number < e.answer_number
WHERE
  e.remittance_key IN (
    SELECT
      remittance_key
    FROM spoken_of
  )

-- name: appeal_decisions
SELECT
  d.claim_key,
  d.remittance_key,
  d.payment_date,
  d.answer_number,
  c.codes,
  d.after_cents - d.before_cents AS won_cents,
  CASE
    WHEN d.after_cents > d.before_cents AND d.n_refused = 0
    THEN 'overturned'
    WHEN d.after_cents > d.before_cents
    THEN 'partial'
    WHEN c.is_unheard = 1
    THEN 'dismissed'
    ELSE 'upheld'
  END AS remittance_outcome
FROM (
  SELECT
    e.claim_key,
    e.remittance_key,
    e.payment_date,
    e.answer_number,
    SUM(e.allowed_cents) AS after_cents,
    SUM(b.before_cents) AS before_cents,
    SUM(CASE WHEN e.determination IN ('denied', 'partially_approved') THEN 1 ELSE 0 END) AS n_refused
  FROM events AS e
  INNER JOIN allowed_before AS b
    ON b.remittance_key = e.remittance_key AND b.slot = e.slot AND b.choice = 1
  WHERE
    e.determination IN ('approved', 'partially_approved', 'denied')
  GROUP BY
    e.claim_key,
    e.remittance_key,
    e.payment_date,
    e.answer_number
) AS d
INNER JOIN (
  SELECT
    remittance_key,
    LISTAGG(code, ', ') WITHIN GROUP (ORDER BY
      code NULLS LAST) AS codes,
    MAX(CASE WHEN code IN ('CARC 285', 'CARC 286', 'CARC 138') THEN 1 ELSE 0 END) AS is_unheard
  FROM spoken_of
  GROUP BY
    remittance_key
) AS c
  ON c.remittance_key = d.remittance_key

-- name: claim_numbers
SELECT
  claim_key,
  UPPER(TRIM(patient_control_number)) AS control_number
FROM versions
WHERE
  UPPER(TRIM(patient_control_number)) IN (
    SELECT
      UPPER(TRIM(patient_control_number))
    FROM appeals
  )
UNION
SELECT
  claim_key,
  UPPER(TRIM(patient_control_number))
FROM keyed_remittances
WHERE
  UPPER(TRIM(patient_control_number)) IN (
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
  LEFT JOIN determined_claims AS d
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
  COALESCE(p.appeal_id, r.record_id) AS appeal_outcome_id,
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
  r.record_id AS remittance_id,
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
LEFT JOIN record_keys AS r
  ON r.record_key = p.remittance_key
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
