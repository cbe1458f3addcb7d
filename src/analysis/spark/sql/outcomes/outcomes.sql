-- Made from outcomes/outcomes.sql by tools/spark_sql.py; do not edit.

-- name: code_patterns
SELECT
  d.diagnosis_code,
  k.condition_group = 'other' AS is_catch_all,
  CAST(k.valid_from AS DATE) AS valid_from,
  CAST(k.valid_to AS DATE) AS valid_to,
  k.pattern_order
FROM (
  SELECT DISTINCT
    diagnosis_code
  FROM claim_diagnoses
  WHERE
    diagnosis_position = 1
) AS d
INNER JOIN conditions AS k
  ON d.diagnosis_code RLIKE k.icd10_pattern

-- name: ranked_conditions
SELECT
  pattern_order AS place,
  condition_group
FROM conditions
UNION ALL
SELECT
  1000 + pattern_order,
  condition_group
FROM conditions
UNION ALL
SELECT
  2000 + pattern_order,
  condition_group
FROM conditions

-- name: claim_conditions
SELECT
  c.claim_key,
  r.condition_group
FROM (
  SELECT
    v.claim_key,
    MIN(
      k.pattern_order + CASE
        WHEN k.is_catch_all
        THEN 2000
        WHEN COALESCE(v.service_date, v.submitted_date) < k.valid_from
        OR COALESCE(v.service_date, v.submitted_date) > k.valid_to
        THEN 1000
        ELSE 0
      END
    ) AS place
  FROM first_versions AS v
  INNER JOIN claim_diagnoses AS d
    ON d.claim_version_id = v.claim_version_id AND d.diagnosis_position = 1
  INNER JOIN code_patterns AS k
    ON k.diagnosis_code = d.diagnosis_code
  GROUP BY
    v.claim_key
) AS c
INNER JOIN ranked_conditions AS r
  ON r.place = c.place

-- name: claim_facts
SELECT
  i.claim_key,
  COALESCE(f.patient_control_number, r.patient_control_number) AS patient_control_number,
  COALESCE(f.patient_id, r.patient_id) AS patient_id,
  COALESCE(f.payer_id, r.payer_id) AS payer_id,
  f.plan_id,
  COALESCE(k.condition_group, 'unknown') AS condition_group,
  COALESCE(f.service_date, r.service_date) AS service_date,
  f.submitted_date,
  COALESCE(l.charge_cents, ABS(r.charge_cents), 0) AS charge_cents
FROM claim_keys AS i
LEFT JOIN first_versions AS f
  ON f.claim_key = i.claim_key
LEFT JOIN latest_versions AS l
  ON l.claim_key = i.claim_key
LEFT JOIN claim_conditions AS k
  ON k.claim_key = i.claim_key
LEFT JOIN answers AS r
  ON r.claim_key = i.claim_key AND r.answer_number = 1

-- name: courses
SELECT
  patient_id,
  condition_group,
  ROW_NUMBER() OVER (ORDER BY patient_id NULLS LAST, condition_group NULLS LAST) AS course_key
FROM (
  SELECT DISTINCT
    patient_id,
    condition_group
  FROM claim_facts
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
  FROM claim_facts AS f
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

-- name: delays
SELECT
  d.claim_key,
  DATEDIFF(DAY, f.submitted_date, d.first_date) AS days
FROM determined_claims AS d
INNER JOIN claim_facts AS f
  ON f.claim_key = d.claim_key
WHERE
  d.first_determination IN ('approved', 'partially_approved', 'denied')
  AND NOT f.submitted_date IS NULL
  AND d.first_date >= f.submitted_date

-- name: maturity
SELECT
  COALESCE(CAST(PERCENTILE_APPROX(e.days, 0.95) AS BIGINT), session.default_maturity_days) AS maturity_days
FROM delays AS e
INNER JOIN claim_facts AS f
  ON f.claim_key = e.claim_key
WHERE
  f.submitted_date <= session.as_of_date - INTERVAL '180' DAY

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
  i.claim_id,
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
  COALESCE(v.n_versions, 0) AS n_versions,
  COALESCE(a.n_remittances, 0) AS n_remittances,
  f.charge_cents,
  CASE
    WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
    THEN COALESCE(d.allowed_cents, 0) + COALESCE(m.claim_level_cents, 0)
    ELSE 0
  END AS allowed_cents,
  COALESCE(a.paid_cents, 0) AS paid_cents,
  COALESCE(o.moved_cents, 0) AS moved_outside_cents,
  CASE
    WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
    THEN COALESCE(m.patient_part_cents, 0)
    ELSE 0
  END AS patient_responsibility_cents,
  d.first_determination,
  d.first_date AS first_determination_date,
  DATEDIFF(DAY, f.submitted_date, d.first_date) AS days_to_first_determination,
  d.final_determination,
  CASE
    WHEN d.final_determination IN ('approved', 'partially_approved', 'denied')
    THEN d.final_date
  END AS final_determination_date,
  CASE
    WHEN d.first_determination IN ('denied', 'partially_approved')
    THEN c.first_category
  END AS denial_category,
  CASE
    WHEN d.first_determination IN ('denied', 'partially_approved')
    THEN c.first_reason_code
  END AS denial_reason_code,
  CASE
    WHEN d.first_determination IN ('denied', 'partially_approved')
    THEN c.first_remark_code
  END AS denial_remark_code,
  CASE
    WHEN d.final_determination IN ('denied', 'partially_approved')
    THEN c.final_category
  END AS final_denial_category,
  w.source AS outcome_source,
  COALESCE(v.is_corrected, 0) = 1 AS is_corrected,
  COALESCE(a.is_reversed, 0) = 1 AS is_reversed,
  z.reversal_reason,
  x.outcome AS appeal_outcome,
  CASE
    WHEN f.service_date > session.as_of_date
    THEN 'service in the future'
    WHEN f.service_date > f.submitted_date
    THEN 'service after submission'
    WHEN f.service_date > d.first_date
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
FROM claim_facts AS f
INNER JOIN claim_keys AS i
  ON i.claim_key = f.claim_key
INNER JOIN determined_claims AS d
  ON d.claim_key = f.claim_key
LEFT JOIN episodes AS e
  ON e.claim_key = f.claim_key
LEFT JOIN version_facts AS v
  ON v.claim_key = f.claim_key
LEFT JOIN answer_facts AS a
  ON a.claim_key = f.claim_key
LEFT JOIN claim_reasons AS c
  ON c.claim_key = f.claim_key
LEFT JOIN standing_money AS m
  ON m.claim_key = f.claim_key
LEFT JOIN last_appeals AS x
  ON x.claim_id = i.claim_id
LEFT JOIN last_reversal_reasons AS z
  ON z.claim_key = f.claim_key
LEFT JOIN moved_outside AS o
  ON o.claim_key = f.claim_key
LEFT JOIN payers AS p
  ON p.payer_id = f.payer_id
LEFT JOIN first_answered AS y
  ON y.claim_key = f.claim_key
LEFT JOIN answers AS w
  ON w.remittance_key = y.remittance_key
ORDER BY
  f.submitted_date NULLS LAST,
  f.claim_key NULLS LAST

-- name: line_lineage
SELECT
  r.remittance_line_id,
  c.claim_id,
  m.service_line_id,
  COALESCE(m.match_kind, 'beyond') AS match_kind,
  COALESCE(m.is_doubtful, FALSE) AS is_doubtful
FROM parts_in_claims AS p
INNER JOIN keyed_remittance_lines AS r
  ON r.remittance_line_key = p.remittance_line_key
INNER JOIN claim_keys AS c
  ON c.claim_key = p.claim_key
LEFT JOIN line_matches AS m
  ON m.remittance_line_key = p.remittance_line_key
ORDER BY
  p.remittance_line_key NULLS LAST

-- name: current_lines
SELECT
  s.*
FROM service_slots AS s
INNER JOIN latest_versions AS v
  ON v.claim_version_key = s.claim_version_key

-- name: lines_beyond
SELECT
  e.claim_key,
  e.slot,
  MIN(e.procedure_code) AS procedure_code,
  MIN(e.modifiers) AS modifiers,
  MIN(e.service_date) AS service_date,
  MAX(ABS(e.charge_cents)) AS charge_cents
FROM events AS e
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM current_lines AS s
    WHERE
      s.claim_key = e.claim_key AND s.slot = e.slot
  )
GROUP BY
  e.claim_key,
  e.slot

-- name: split_charges
SELECT
  s.service_line_id,
  SUM(b.charge_cents) AS parts_cents
FROM lines_beyond AS b
INNER JOIN current_lines AS s
  ON s.claim_key = b.claim_key
  AND s.slot = COALESCE(b.procedure_code, '') || '@' || COALESCE(CAST(b.service_date AS STRING), '') || '#1'
GROUP BY
  s.service_line_id,
  s.charge_cents
HAVING
  SUM(b.charge_cents) < s.charge_cents

-- name: outcome_lines
SELECT
  s.claim_key,
  s.slot,
  s.line_number,
  s.procedure_code,
  s.modifiers,
  s.units,
  s.service_date,
  s.charge_cents - COALESCE(p.parts_cents, 0) AS charge_cents
FROM current_lines AS s
LEFT JOIN split_charges AS p
  ON p.service_line_id = s.service_line_id
UNION ALL
SELECT
  claim_key,
  slot,
  1000 + ROW_NUMBER() OVER (PARTITION BY claim_key ORDER BY slot NULLS LAST) AS line_number,
  procedure_code,
  modifiers,
  CAST(NULL AS DOUBLE) AS units,
  service_date,
  charge_cents
FROM lines_beyond

-- name: line_outcomes
SELECT
  i.claim_id,
  o.line_number,
  o.procedure_code,
  o.modifiers,
  o.units,
  o.service_date,
  o.charge_cents,
  CASE
    WHEN l.final_determination IN ('approved', 'partially_approved', 'denied')
    AND d.final_determination <> 'voided'
    THEN COALESCE(l.final_allowed_cents, 0)
    ELSE 0
  END AS allowed_cents,
  COALESCE(l.paid_cents, 0) AS paid_cents,
  COALESCE(
    l.first_determination,
    CASE
      WHEN d.first_determination IN ('voided', 'rejected')
      THEN d.first_determination
      WHEN l.has_rejected = 1 AND COALESCE(l.has_pending, 0) = 0
      THEN 'rejected'
      WHEN COALESCE(l.has_pending, 0) = 0 AND l.has_undecided = 1
      THEN 'unknown'
      ELSE 'pending'
    END
  ) AS first_determination,
  l.first_date AS first_determination_date,
  CASE
    WHEN d.final_determination = 'voided'
    THEN 'voided'
    WHEN NOT l.final_determination IS NULL
    THEN l.final_determination
    WHEN d.final_determination = 'rejected'
    THEN 'rejected'
    WHEN COALESCE(l.has_pending, 0) = 0 AND l.has_undecided = 1
    THEN 'unknown'
    ELSE 'pending'
  END AS final_determination,
  l.final_date AS final_determination_date,
  CASE
    WHEN l.first_determination IN ('denied', 'partially_approved')
    THEN l.first_category
  END AS denial_category,
  CASE
    WHEN l.first_determination IN ('denied', 'partially_approved')
    THEN l.first_reason_code
  END AS denial_reason_code,
  CASE
    WHEN l.first_determination IN ('denied', 'partially_approved')
    THEN l.first_remark_code
  END AS denial_remark_code,
  CASE
    WHEN l.final_determination IN ('denied', 'partially_approved')
    THEN l.final_category
  END AS final_denial_category
FROM outcome_lines AS o
INNER JOIN claim_keys AS i
  ON i.claim_key = o.claim_key
INNER JOIN line_states AS l
  ON l.claim_key = o.claim_key AND l.slot = o.slot
INNER JOIN determined_claims AS d
  ON d.claim_key = o.claim_key
ORDER BY
  o.claim_key NULLS LAST,
  o.line_number NULLS LAST
