-- Made from features/calls.sql by tools/spark_sql.py; do not edit.

-- name: binding_calls
SELECT
  *,
  LEAD(call_date) OVER (
    PARTITION BY payer_id, patient_id
    ORDER BY call_date NULLS LAST, call_time NULLS LAST, benefit_call_id NULLS LAST
  ) AS next_call_date
FROM benefit_calls
WHERE
  NOT payer_id IS NULL AND NOT patient_id IS NULL AND NOT call_date IS NULL

-- name: promises
SELECT
  benefit_call_id,
  'covered' AS said,
  'non_covered' AS broken_by
FROM binding_calls
WHERE
  is_covered
UNION ALL
SELECT
  benefit_call_id,
  'no_authorization',
  'authorization'
FROM binding_calls
WHERE
  NOT is_authorization_required
UNION ALL
SELECT
  benefit_call_id,
  'no_referral',
  'referral_rx'
FROM binding_calls
WHERE
  NOT is_referral_required
UNION ALL
SELECT
  benefit_call_id,
  'visits_allowed',
  'benefit_limit'
FROM binding_calls
WHERE
  NOT visits_allowed IS NULL

-- name: claims_after
SELECT
  b.benefit_call_id,
  p.said,
  p.broken_by,
  b.call_date,
  NOT b.written_confirmation_date IS NULL AS is_in_writing,
  b.visits_allowed,
  o.claim_id,
  o.payer_id,
  o.patient_id,
  o.service_date,
  o.first_determination,
  o.denial_category,
  v.n_visits_year
FROM binding_calls AS b
INNER JOIN promises AS p
  ON p.benefit_call_id = b.benefit_call_id
INNER JOIN claim_outcomes AS o
  ON o.payer_id = b.payer_id
  AND o.patient_id = b.patient_id
  AND o.service_date >= b.call_date
  AND o.service_date <= b.call_date + INTERVAL '1' YEAR
  AND (
    b.next_call_date IS NULL OR o.service_date < b.next_call_date
  )
LEFT JOIN visit_counts AS v
  ON v.claim_id = o.claim_id

-- name: call_outcomes
SELECT
  benefit_call_id,
  claim_id,
  said,
  payer_id,
  patient_id,
  call_date,
  service_date,
  is_in_writing,
  CASE
    WHEN said = 'visits_allowed'
    AND (
      n_visits_year IS NULL OR n_visits_year > visits_allowed
    )
    THEN 'cannot_tell'
    WHEN first_determination IN ('denied', 'partially_approved')
    AND denial_category = broken_by
    THEN 'broken'
    WHEN first_determination IN ('approved', 'partially_approved')
    THEN 'kept'
    ELSE 'cannot_tell'
  END AS result,
  denial_category
FROM claims_after
ORDER BY
  benefit_call_id NULLS LAST,
  claim_id NULLS LAST,
  said NULLS LAST
