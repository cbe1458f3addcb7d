-- Made from features/policies.sql by tools/spark_sql.py; do not edit.

-- name: claim_days
SELECT
  o.claim_id,
  o.payer_id,
  COALESCE(
    o.plan_id,
    CASE
      WHEN MIN(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id) = MAX(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
      THEN MIN(o.plan_id) OVER (PARTITION BY o.patient_id, o.payer_id)
    END
  ) AS plan_id,
  COALESCE(l.last_day, o.service_date) AS day
FROM claim_outcomes AS o
LEFT JOIN (
  SELECT
    claim_id,
    MAX(service_date) AS last_day
  FROM line_outcomes
  GROUP BY
    claim_id
) AS l
  ON l.claim_id = o.claim_id
WHERE
  NOT o.payer_id IS NULL

-- name: rules_that_speak
SELECT
  c.claim_id,
  p.rule,
  p.procedure_code,
  p.value,
  p.policy_id,
  CASE WHEN p.plan_id IS NULL THEN 0 ELSE 2 END + CASE WHEN p.state IS NULL THEN 0 ELSE 1 END AS precision_rank,
  p.effective_from
FROM claim_days AS c
INNER JOIN policies AS p
  ON p.payer_id = c.payer_id
  AND (
    p.plan_id IS NULL OR p.plan_id = c.plan_id
  )
  AND (
    p.state IS NULL OR p.state = session.state
  )
  AND (
    p.effective_from IS NULL OR p.effective_from <= c.day
  )
  AND (
    p.effective_to IS NULL OR p.effective_to >= c.day
  )
UNION ALL
SELECT
  c.claim_id,
  'visit_limit_year',
  CAST(NULL AS STRING),
  CAST(l.visit_limit_year AS DOUBLE),
  CAST(NULL AS STRING),
  -1,
  CAST(NULL AS DATE)
FROM claim_days AS c
INNER JOIN plans AS l
  ON l.payer_id = c.payer_id AND l.plan_id = c.plan_id
WHERE
  NOT l.visit_limit_year IS NULL

-- name: rules_in_force
SELECT
  claim_id,
  rule,
  COALESCE(procedure_code, '') AS procedure_code,
  value,
  policy_id
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY claim_id, rule, procedure_code
      ORDER BY precision_rank DESC, effective_from DESC, value NULLS LAST, policy_id NULLS LAST
    ) AS place
  FROM rules_that_speak
) AS ranked
WHERE
  place = 1
ORDER BY
  claim_id NULLS LAST,
  rule NULLS LAST,
  procedure_code NULLS LAST
