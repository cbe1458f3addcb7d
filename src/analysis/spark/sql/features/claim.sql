-- Made from features/claim.sql by tools/spark_sql.py; do not edit.

-- name: visit_days
SELECT
  episode_id,
  service_date,
  MIN(submitted_date) AS first_sent_date
FROM claim_outcomes
WHERE
  NOT episode_id IS NULL
GROUP BY
  episode_id,
  service_date

-- name: overtaken_visits
SELECT
  o.claim_id,
  COUNT(*) AS n_sent_later
FROM claim_outcomes AS o
INNER JOIN visit_days AS d
  ON d.episode_id = o.episode_id
WHERE
  d.service_date < o.service_date AND d.first_sent_date > o.submitted_date
GROUP BY
  o.claim_id

-- name: submissions
SELECT
  c.*,
  o.payer_type,
  o.condition_group,
  o.visit_number - COALESCE(v.n_sent_later, 0) AS visit_number
FROM claims AS c
INNER JOIN claim_outcomes AS o
  ON o.claim_id = c.claim_version_id
LEFT JOIN overtaken_visits AS v
  ON v.claim_id = o.claim_id

-- name: visits_in_year
SELECT
  claim_version_id,
  DENSE_RANK() OVER (PARTITION BY patient_id, YEAR(service_date) ORDER BY service_date NULLS LAST) AS visit_number_in_year
FROM submissions
WHERE
  NOT patient_id IS NULL AND NOT service_date IS NULL

-- name: line_facts
SELECT
  claim_version_id,
  COUNT(*) AS n_lines,
  SUM(units) AS n_units,
  MAX(CASE WHEN procedure_code = '97124' THEN 1 ELSE 0 END) AS n_massage,
  MAX(CASE WHEN procedure_code = '97140' THEN 1 ELSE 0 END) AS n_manual_therapy,
  MAX(CASE WHEN NOT authorization_number IS NULL THEN 1 ELSE 0 END) AS n_authorized
FROM service_lines
GROUP BY
  claim_version_id

-- name: network_on_the_day
SELECT
  claim_version_id,
  CASE WHEN MIN(network_status) = MAX(network_status) THEN MIN(network_status) END AS network_status
FROM (
  SELECT
    s.claim_version_id,
    n.network_status,
    RANK() OVER (
      PARTITION BY s.claim_version_id
      ORDER BY CASE WHEN n.plan_id IS NULL THEN 1 ELSE 0 END NULLS LAST, n.effective_from DESC
    ) AS place
  FROM submissions AS s
  INNER JOIN network_periods AS n
    ON n.payer_id = s.payer_id
    AND (
      n.plan_id IS NULL OR n.plan_id = s.plan_id
    )
    AND (
      n.effective_from IS NULL OR n.effective_from <= s.service_date
    )
    AND (
      n.effective_to IS NULL OR n.effective_to >= s.service_date
    )
) AS covering
WHERE
  place = 1
GROUP BY
  claim_version_id

-- name: claim_features
SELECT
  s.claim_version_id AS claim_id,
  s.patient_id,
  COALESCE(s.payer_id, 'unknown') AS payer_id,
  s.payer_type,
  COALESCE(s.payer_id || '/' || s.plan_id, 'unknown') AS plan_id,
  COALESCE(n.network_status, 'unknown') AS network_status,
  s.condition_group,
  s.service_date,
  s.submitted_date,
  DATEDIFF(DAY, s.service_date, s.submitted_date) AS submission_lag_days,
  s.visit_number,
  y.visit_number_in_year,
  l.n_units,
  COALESCE(l.n_lines, 0) AS n_lines,
  NOT s.authorization_number IS NULL OR COALESCE(l.n_authorized, 0) = 1 AS has_authorization_number,
  NOT s.referral_number IS NULL OR NOT s.referring_provider_id IS NULL AS has_referral,
  COALESCE(l.n_massage, 0) = 1 AS has_massage_line,
  COALESCE(l.n_manual_therapy, 0) = 1 AS has_manual_therapy_line,
  d.present_weight / NULLIF(d.present_weight + d.absent_weight, 0) AS completeness,
  (
    d.present_weight + d.absent_weight
  ) / NULLIF(d.present_weight + d.absent_weight + d.unknown_weight, 0) AS completeness_coverage,
  d.present_weight + d.absent_weight AS known_weight,
  COALESCE(d.n_required_absent, 0) AS n_required_absent,
  COALESCE(d.n_required_unknown, 0) AS n_required_unknown,
  COALESCE(d.n_gates_failed, 0) AS n_gates_failed,
  COALESCE(d.prescription, 'not_required') AS prescription,
  COALESCE(d.authorization_status, 'not_required') AS authorization,
  COALESCE(d.plan_of_care, 'not_required') AS plan_of_care,
  COALESCE(d.treatment_note, 'not_required') AS treatment_note,
  COALESCE(d.minutes, 'not_required') AS minutes,
  COALESCE(d.initial_eval, 'not_required') AS initial_eval,
  COALESCE(d.progress_report, 'not_required') AS progress_report,
  COALESCE(d.necessity_rationale, 'not_required') AS necessity_rationale,
  COALESCE(d.benefit_verification, 'not_required') AS benefit_verification
FROM submissions AS s
LEFT JOIN visits_in_year AS y
  ON y.claim_version_id = s.claim_version_id
LEFT JOIN line_facts AS l
  ON l.claim_version_id = s.claim_version_id
LEFT JOIN network_on_the_day AS n
  ON n.claim_version_id = s.claim_version_id
LEFT JOIN document_sums AS d
  ON d.claim_id = s.claim_version_id
ORDER BY
  s.submitted_date NULLS LAST,
  s.claim_version_id NULLS LAST
