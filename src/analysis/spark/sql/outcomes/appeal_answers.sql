-- Made from outcomes/appeal_answers.sql by tools/spark_sql.py; do not edit.

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
