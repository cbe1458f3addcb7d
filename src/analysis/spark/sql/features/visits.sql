-- Made from features/visits.sql by tools/spark_sql.py; do not edit.

-- name: served
SELECT
  k.patient_id,
  c.claim_id,
  c.payer_id,
  COALESCE(
    c.plan_id,
    CASE
      WHEN MIN(c.plan_id) OVER (PARTITION BY c.patient_key, c.payer_id) = MAX(c.plan_id) OVER (PARTITION BY c.patient_key, c.payer_id)
      THEN MIN(c.plan_id) OVER (PARTITION BY c.patient_key, c.payer_id)
    END
  ) AS plan_id,
  c.episode_id,
  c.service_date,
  c.control_number,
  c.authorization_number
FROM claims_of_patients AS c
INNER JOIN patient_keys AS k
  ON k.patient_key = c.patient_key

-- name: visit_lines
SELECT
  s.*,
  COALESCE(l.service_date, s.service_date) AS visit_date,
  l.procedure_code,
  l.units
FROM served AS s
LEFT JOIN lines_of_patients AS l
  ON l.claim_id = s.claim_id

-- name: visit_days
SELECT DISTINCT
  claim_id,
  patient_id,
  payer_id,
  plan_id,
  episode_id,
  authorization_number,
  visit_date
FROM visit_lines

-- name: last_days
SELECT
  claim_id,
  patient_id,
  payer_id,
  plan_id,
  episode_id,
  MAX(visit_date) AS visit_date
FROM visit_days
GROUP BY
  claim_id,
  patient_id,
  payer_id,
  plan_id,
  episode_id

-- name: used_by_plan
SELECT
  c.claim_id,
  COUNT(DISTINCT CASE WHEN YEAR(v.visit_date) = YEAR(c.visit_date) THEN v.visit_date END) AS n_visits_year,
  COUNT(
    DISTINCT CASE WHEN DATEDIFF(DAY, v.visit_date, c.visit_date) < 7 THEN v.visit_date END
  ) AS n_visits_week
FROM last_days AS c
INNER JOIN visit_days AS v
  ON v.patient_id = c.patient_id
  AND v.payer_id = c.payer_id
  AND COALESCE(v.plan_id, '') = COALESCE(c.plan_id, '')
  AND v.visit_date <= c.visit_date
GROUP BY
  c.claim_id

-- name: used_in_episode
SELECT
  c.claim_id,
  COUNT(DISTINCT v.visit_date) AS n_visits_episode,
  DATEDIFF(DAY, MIN(v.visit_date), c.visit_date) DIV 7 + 1 AS n_weeks_episode
FROM last_days AS c
INNER JOIN visit_days AS v
  ON v.episode_id = c.episode_id AND v.visit_date <= c.visit_date
GROUP BY
  c.claim_id,
  c.visit_date

-- name: rules
SELECT
  r.claim_id,
  r.rule,
  r.procedure_code,
  r.value
FROM rules_of_patients AS r
WHERE
  r.procedure_code IS NULL
  OR EXISTS(
    SELECT
      1
    FROM visit_lines AS own
    WHERE
      own.claim_id = r.claim_id AND own.procedure_code = r.procedure_code
  )

-- name: used_by_rule
SELECT
  r.claim_id,
  r.procedure_code,
  r.value,
  COUNT(DISTINCT v.visit_date) AS n_used
FROM rules AS r
INNER JOIN last_days AS c
  ON c.claim_id = r.claim_id
INNER JOIN visit_lines AS v
  ON v.patient_id = c.patient_id
  AND v.payer_id = c.payer_id
  AND COALESCE(v.plan_id, '') = COALESCE(c.plan_id, '')
  AND YEAR(v.visit_date) = YEAR(c.visit_date)
  AND v.visit_date <= c.visit_date
  AND (
    r.procedure_code IS NULL OR r.procedure_code = v.procedure_code
  )
WHERE
  r.rule = 'visit_limit_year'
GROUP BY
  r.claim_id,
  r.procedure_code,
  r.value

-- name: year_limits
SELECT
  claim_id,
  value,
  n_used
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY claim_id
      ORDER BY value - n_used NULLS LAST, value NULLS LAST, procedure_code
    ) AS place
  FROM used_by_rule
) AS ranked
WHERE
  place = 1

-- name: tightest_rules
SELECT
  claim_id,
  rule,
  MIN(value) AS value
FROM rules
WHERE
  rule IN ('visits_per_week', 'weeks_per_episode')
GROUP BY
  claim_id,
  rule

-- name: minutes_noted
SELECT
  d.claim_id,
  d.visit_date,
  m.procedure_code,
  MAX(m.n_minutes) AS n_minutes
FROM visit_days AS d
INNER JOIN served AS s
  ON s.claim_id = d.claim_id
INNER JOIN minutes_of_patients AS m
  ON m.control_number = s.control_number AND m.service_date = d.visit_date
GROUP BY
  d.claim_id,
  d.visit_date,
  m.procedure_code

-- name: visit_minutes_by_day
SELECT
  claim_id,
  visit_date,
  GREATEST(
    SUM(CASE WHEN procedure_code <> '' THEN n_minutes END),
    MAX(CASE WHEN procedure_code = '' THEN n_minutes END)
  ) AS n_minutes
FROM minutes_noted
GROUP BY
  claim_id,
  visit_date

-- name: amounts_by_rule
SELECT
  r.claim_id,
  r.rule,
  r.value,
  l.visit_date,
  SUM(l.units) AS n_least,
  CASE WHEN COUNT(*) = COUNT(l.units) THEN SUM(l.units) END AS n_most
FROM rules AS r
INNER JOIN visit_lines AS l
  ON l.claim_id = r.claim_id
  AND (
    r.procedure_code IS NULL OR r.procedure_code = l.procedure_code
  )
WHERE
  r.rule = 'units_per_visit'
GROUP BY
  r.claim_id,
  r.rule,
  r.procedure_code,
  r.value,
  l.visit_date
UNION ALL
SELECT
  r.claim_id,
  r.rule,
  r.value,
  v.visit_date,
  CASE WHEN r.procedure_code IS NULL THEN v.n_minutes ELSE m.n_minutes END,
  CASE
    WHEN r.procedure_code IS NULL
    THEN v.n_minutes
    ELSE COALESCE(m.n_minutes, v.n_minutes)
  END
FROM rules AS r
INNER JOIN visit_minutes_by_day AS v
  ON v.claim_id = r.claim_id
LEFT JOIN minutes_noted AS m
  ON m.claim_id = v.claim_id
  AND m.visit_date = v.visit_date
  AND m.procedure_code = r.procedure_code
WHERE
  r.rule = 'minutes_per_visit'

-- name: amount_checks
SELECT
  claim_id,
  rule,
  value,
  CASE WHEN n_least = n_most THEN n_most END AS used,
  CASE WHEN is_some_past THEN TRUE WHEN is_each_within THEN FALSE END AS is_past
FROM (
  SELECT
    *,
    COALESCE(BOOL_OR(n_least > value) OVER of_claim, FALSE) AS is_some_past,
    BOOL_AND(COALESCE(n_most <= value, FALSE)) OVER of_claim AS is_each_within,
    ROW_NUMBER() OVER (
      PARTITION BY claim_id, rule
      ORDER BY COALESCE(n_least, n_most, 0) - value DESC, visit_date NULLS LAST, value NULLS LAST
    ) AS place
  FROM amounts_by_rule
  WINDOW of_claim AS (PARTITION BY claim_id, rule)
) AS ranked
WHERE
  place = 1

-- name: most_units
SELECT
  claim_id,
  CASE WHEN MIN(CASE WHEN is_whole THEN 1 ELSE 0 END) = 1 THEN MAX(n_units) END AS n_units_visit
FROM (
  SELECT
    claim_id,
    visit_date,
    SUM(units) AS n_units,
    COUNT(*) = COUNT(units) AS is_whole
  FROM visit_lines
  GROUP BY
    claim_id,
    visit_date
) AS days
GROUP BY
  claim_id

-- name: fitting
SELECT DISTINCT
  v.claim_id,
  v.patient_id,
  v.visit_date,
  z.authorization_id,
  z.visits_authorized
FROM visit_lines AS v
INNER JOIN authorizations AS z
  ON z.patient_id = v.patient_id
  AND z.payer_id = v.payer_id
  AND LOWER(z.status) = 'approved'
  AND z.start_date <= v.visit_date
  AND z.end_date >= v.visit_date
  AND (
    COALESCE(z.procedure_codes, '') = ''
    OR ':' || z.procedure_codes || ':' LIKE '%:' || v.procedure_code || ':%'
  )
  AND (
    v.authorization_number IS NULL
    OR UPPER(TRIM(z.authorization_number)) = v.authorization_number
  )

-- name: authorized
SELECT
  f.claim_id,
  f.patient_id,
  f.visit_date,
  CASE WHEN COUNT(*) = COUNT(f.visits_authorized) THEN SUM(f.visits_authorized) END AS n_visits_authorized
FROM fitting AS f
INNER JOIN last_days AS c
  ON c.claim_id = f.claim_id AND c.visit_date = f.visit_date
GROUP BY
  f.claim_id,
  f.patient_id,
  f.visit_date

-- name: drawn_on
SELECT
  a.claim_id,
  e.claim_id AS earlier_claim_id,
  e.visit_date,
  COUNT(*) AS n_open,
  COUNT(own.authorization_id) AS n_shared
FROM authorized AS a
INNER JOIN fitting AS e
  ON e.patient_id = a.patient_id AND e.visit_date <= a.visit_date
LEFT JOIN fitting AS own
  ON own.claim_id = a.claim_id
  AND own.visit_date = a.visit_date
  AND own.authorization_id = e.authorization_id
GROUP BY
  a.claim_id,
  e.claim_id,
  e.visit_date

-- name: authorized_used
SELECT
  claim_id,
  COUNT(DISTINCT CASE WHEN n_shared = n_open THEN visit_date END) AS n_at_least,
  COUNT(DISTINCT CASE WHEN n_shared > 0 THEN visit_date END) AS n_at_most
FROM drawn_on
GROUP BY
  claim_id

-- name: prescribed
SELECT
  *
FROM (
  SELECT
    c.claim_id,
    c.visit_date,
    c.episode_id,
    p.*,
    ROW_NUMBER() OVER (PARTITION BY c.claim_id ORDER BY p.prescribed_date DESC, p.prescription_id DESC) AS place
  FROM last_days AS c
  INNER JOIN prescriptions AS p
    ON p.patient_id = c.patient_id AND p.prescribed_date <= c.visit_date
  WHERE
    COALESCE(p.diagnosis_codes, '') = ''
    OR EXISTS(
      SELECT
        1
      FROM prescriptions_of_patients AS f
      WHERE
        f.prescription_id = p.prescription_id AND f.claim_id = c.claim_id
    )
) AS newest
WHERE
  place = 1

-- name: prescribed_used
SELECT
  p.claim_id,
  COUNT(DISTINCT v.visit_date) AS n_used,
  DATEDIFF(DAY, MIN(v.visit_date), p.visit_date) DIV 7 + 1 AS n_weeks
FROM prescribed AS p
INNER JOIN visit_days AS v
  ON v.episode_id = p.episode_id
  AND v.visit_date <= p.visit_date
  AND v.visit_date >= p.prescribed_date
GROUP BY
  p.claim_id,
  p.visit_date

-- name: known_limits
SELECT
  claim_id,
  'visits_per_year' AS limit_kind,
  value AS allowed,
  n_used AS used,
  n_used > value AS is_past
FROM year_limits
UNION ALL
SELECT
  t.claim_id,
  t.rule,
  t.value,
  u.n_visits_week,
  u.n_visits_week > t.value
FROM tightest_rules AS t
INNER JOIN used_by_plan AS u
  ON u.claim_id = t.claim_id
WHERE
  t.rule = 'visits_per_week'
UNION ALL
SELECT
  t.claim_id,
  t.rule,
  t.value,
  e.n_weeks_episode,
  e.n_weeks_episode > t.value
FROM tightest_rules AS t
INNER JOIN used_in_episode AS e
  ON e.claim_id = t.claim_id
WHERE
  t.rule = 'weeks_per_episode'
UNION ALL
SELECT
  claim_id,
  rule,
  value,
  used,
  is_past
FROM amount_checks
UNION ALL
SELECT
  a.claim_id,
  'authorized_visits',
  a.n_visits_authorized,
  CASE WHEN d.n_at_least = d.n_at_most THEN d.n_at_most END,
  CASE
    WHEN d.n_at_least > a.n_visits_authorized
    THEN TRUE
    WHEN d.n_at_most <= a.n_visits_authorized
    THEN FALSE
  END
FROM authorized AS a
LEFT JOIN authorized_used AS d
  ON d.claim_id = a.claim_id
UNION ALL
SELECT
  p.claim_id,
  'prescribed_visits',
  p.visits_prescribed,
  s.n_used,
  s.n_used > p.visits_prescribed
FROM prescribed AS p
INNER JOIN prescribed_used AS s
  ON s.claim_id = p.claim_id
WHERE
  NOT p.visits_prescribed IS NULL
UNION ALL
SELECT
  claim_id,
  'prescription_days',
  DATEDIFF(DAY, prescribed_date, expiry_date),
  DATEDIFF(DAY, prescribed_date, visit_date),
  visit_date > expiry_date
FROM prescribed
WHERE
  NOT expiry_date IS NULL
UNION ALL
SELECT
  p.claim_id,
  'prescribed_visits_per_week',
  p.visits_per_week,
  u.n_visits_week,
  u.n_visits_week > p.visits_per_week
FROM prescribed AS p
INNER JOIN used_by_plan AS u
  ON u.claim_id = p.claim_id
WHERE
  NOT p.visits_per_week IS NULL
UNION ALL
SELECT
  p.claim_id,
  'prescribed_weeks',
  p.n_weeks,
  s.n_weeks,
  s.n_weeks > p.n_weeks
FROM prescribed AS p
INNER JOIN prescribed_used AS s
  ON s.claim_id = p.claim_id
WHERE
  NOT p.n_weeks IS NULL

-- name: counted_visits
SELECT
  s.claim_id,
  e.n_visits_episode,
  e.n_weeks_episode,
  u.n_visits_year,
  u.n_visits_week,
  m.n_units_visit
FROM served AS s
LEFT JOIN used_in_episode AS e
  ON e.claim_id = s.claim_id
LEFT JOIN used_by_plan AS u
  ON u.claim_id = s.claim_id
LEFT JOIN most_units AS m
  ON m.claim_id = s.claim_id
