-- Made from outcomes/outcomes.sql by tools/spark_sql.py; do not edit.

-- name: courses
SELECT
  patient_id,
  condition_group,
  ROW_NUMBER() OVER (ORDER BY patient_id NULLS LAST, condition_group NULLS LAST) AS course_key
FROM (
  SELECT DISTINCT
    patient_id,
    condition_group
  FROM claim_histories
  WHERE
    NOT patient_id IS NULL AND NOT service_date IS NULL
) AS known

-- name: visits
SELECT
  claim_key,
  course_key,
  service_date,
  CASE
    WHEN LAG(service_date) OVER (PARTITION BY course_key ORDER BY service_date NULLS LAST, claim_key NULLS LAST) >= service_date - INTERVAL '90' DAY
    THEN 0
    ELSE 1
  END AS starts_episode
FROM (
  SELECT
    f.claim_key,
    f.service_date,
    c.course_key
  FROM claim_histories AS f
  INNER JOIN courses AS c
    ON c.patient_id = f.patient_id AND c.condition_group = f.condition_group
  WHERE
    NOT f.service_date IS NULL
) AS dated

-- name: episode_numbers
SELECT
  *,
  SUM(starts_episode) OVER (PARTITION BY course_key ORDER BY service_date NULLS LAST, claim_key NULLS LAST) AS episode_number
FROM visits

-- name: episodes
SELECT
  claim_key,
  episode_number,
  DENSE_RANK() OVER (PARTITION BY course_key, episode_number ORDER BY service_date NULLS LAST) AS visit_number
FROM episode_numbers

-- name: maturity
SELECT
  COALESCE(
    CAST(PERCENTILE_APPROX(days_to_first_determination, 0.95) AS BIGINT),
    session.default_maturity_days
  ) AS maturity_days
FROM claim_histories
WHERE
  first_determination IN ('approved', 'partially_approved', 'denied')
  AND first_date >= submitted_date
  AND submitted_date <= session.as_of_date - INTERVAL '180' DAY

-- name: moved_outside
SELECT
  k.claim_key,
  SUM(p.amount_cents) AS moved_cents
FROM provider_adjustments AS p
INNER JOIN provider_adjustment_lineage AS t
  ON t.provider_adjustment_id = p.provider_adjustment_id
INNER JOIN claim_keys AS k
  ON k.claim_id = t.claim_id
GROUP BY
  k.claim_key

-- name: claim_outcomes
SELECT
  f.claim_id,
  f.patient_control_number,
  f.patient_id,
  f.payer_id,
  f.plan_id,
  COALESCE(p.payer_type, 'unknown') AS payer_type,
  f.condition_group,
  f.patient_id || '-' || f.condition_group || '-' || CAST(e.episode_number AS STRING) AS episode_id,
  e.visit_number,
  f.service_date,
  f.submitted_date,
  f.n_versions,
  f.n_remittances,
  f.charge_cents,
  f.allowed_cents,
  f.paid_cents,
  COALESCE(o.moved_cents, 0) AS moved_outside_cents,
  f.patient_responsibility_cents,
  f.first_determination,
  f.first_date AS first_determination_date,
  f.days_to_first_determination,
  f.final_determination,
  f.final_date AS final_determination_date,
  f.denial_category,
  f.denial_reason_code,
  f.denial_remark_code,
  f.final_denial_category,
  f.outcome_source,
  f.is_corrected,
  f.is_reversed,
  f.reversal_reason,
  x.outcome AS appeal_outcome,
  CASE
    WHEN f.service_date > session.as_of_date
    THEN 'service in the future'
    WHEN f.service_date > f.submitted_date
    THEN 'service after submission'
    WHEN f.service_date > f.first_date
    THEN 'service after the answer'
    WHEN f.service_date < session.as_of_date - INTERVAL '20' YEAR
    THEN 'service long ago'
  END AS date_problem,
  session.as_of_date AS as_of_date,
  (
    SELECT
      maturity_days
    FROM maturity
  ) AS maturity_days,
  COALESCE(
    f.submitted_date <= session.as_of_date - CAST((
      SELECT
        maturity_days
      FROM maturity
    ) AS INT),
    FALSE
  ) AS is_mature
FROM claim_histories AS f
LEFT JOIN episodes AS e
  ON e.claim_key = f.claim_key
LEFT JOIN last_appeals AS x
  ON x.claim_id = f.claim_id
LEFT JOIN moved_outside AS o
  ON o.claim_key = f.claim_key
LEFT JOIN payers AS p
  ON p.payer_id = f.payer_id
ORDER BY
  f.submitted_date NULLS LAST,
  f.claim_key NULLS LAST
