-- Made from intake/payers.sql by tools/spark_sql.py; do not edit.

-- name: names_sent
SELECT
  payer_id,
  payer_name
FROM (
  SELECT
    payer_id,
    payer_name,
    ROW_NUMBER() OVER (PARTITION BY payer_id ORDER BY COUNT(*) DESC, payer_name NULLS LAST) AS place
  FROM (
    SELECT
      payer_id,
      payer_name
    FROM claims
    UNION ALL
    SELECT
      payer_id,
      payer_name
    FROM payments
  ) AS sent
  WHERE
    NOT payer_id IS NULL AND NOT payer_name IS NULL
  GROUP BY
    payer_id,
    payer_name
) AS ranked
WHERE
  place = 1

-- name: types_sent
SELECT
  indicated.payer_id,
  known.payer_type
FROM (
  SELECT
    payer_id,
    filing_indicator_code,
    ROW_NUMBER() OVER (
      PARTITION BY payer_id
      ORDER BY MIN(source) NULLS LAST, COUNT(*) DESC, filing_indicator_code NULLS LAST
    ) AS place
  FROM (
    SELECT
      payer_id,
      filing_indicator_code,
      1 AS source
    FROM claims
    UNION ALL
    SELECT
      payer_id,
      filing_indicator_code,
      2 AS source
    FROM remittances
  ) AS sent
  WHERE
    NOT payer_id IS NULL AND NOT filing_indicator_code IS NULL
  GROUP BY
    payer_id,
    filing_indicator_code
) AS indicated
INNER JOIN filing_indicators AS known
  USING (filing_indicator_code)
WHERE
  indicated.place = 1 AND NOT known.payer_type IS NULL

-- name: payers
SELECT
  met.payer_id,
  COALESCE(stated.payer_name, names_sent.payer_name, met.payer_id) AS payer_name,
  COALESCE(stated.payer_type, types_sent.payer_type, 'unknown') AS payer_type,
  CASE
    WHEN NOT stated.payer_type IS NULL
    THEN 'practice'
    WHEN NOT types_sent.payer_type IS NULL
    THEN 'filing_indicator'
    ELSE 'unknown'
  END AS payer_type_source,
  COALESCE(stated.role, 'unknown') AS role,
  COALESCE(stated.unit_rule, kinds.unit_rule, 'unknown') AS unit_rule,
  CASE
    WHEN NOT stated.unit_rule IS NULL
    THEN 'practice'
    WHEN NOT kinds.unit_rule IS NULL
    THEN 'payer_type'
    ELSE 'unknown'
  END AS unit_rule_source,
  COALESCE(stated.network_status, 'unknown') AS network_status,
  stated.network_since_date
FROM (
  SELECT
    payer_id
  FROM stated_payers
  UNION
  SELECT
    payer_id
  FROM claims
  WHERE
    NOT payer_id IS NULL
  UNION
  SELECT
    payer_id
  FROM payments
  WHERE
    NOT payer_id IS NULL
) AS met
LEFT JOIN stated_payers AS stated
  USING (payer_id)
LEFT JOIN names_sent
  USING (payer_id)
LEFT JOIN types_sent
  USING (payer_id)
LEFT JOIN payer_types AS kinds
  ON kinds.payer_type = COALESCE(stated.payer_type, types_sent.payer_type)
ORDER BY
  stated.place NULLS LAST,
  met.payer_id NULLS LAST

-- name: plan_names_sent
SELECT
  payer_id,
  plan_id,
  plan_name
FROM (
  SELECT
    payer_id,
    plan_id,
    plan_name,
    ROW_NUMBER() OVER (
      PARTITION BY payer_id, plan_id
      ORDER BY plan_name IS NULL NULLS LAST, COUNT(*) DESC, plan_name NULLS LAST
    ) AS place
  FROM claims
  WHERE
    NOT payer_id IS NULL AND NOT plan_id IS NULL
  GROUP BY
    payer_id,
    plan_id,
    plan_name
) AS ranked
WHERE
  place = 1

-- name: plan_facts
SELECT
  c.payer_id,
  c.plan_id,
  CASE
    WHEN MIN(n.funding) = MAX(n.funding)
    THEN MIN(NULLIF(n.funding, 'unknown'))
  END AS funding,
  CASE
    WHEN MIN(n.product) = MAX(n.product)
    THEN MIN(NULLIF(n.product, 'unknown'))
  END AS product,
  CASE
    WHEN MIN(f.product) = MAX(f.product)
    AND COUNT(f.product) = COUNT(c.filing_indicator_code)
    THEN MIN(f.product)
  END AS indicated_product
FROM claims AS c
LEFT JOIN payer_names AS n
  ON n.payer_id = c.payer_id
  AND TRIM(COALESCE(n.name_as_written, '')) = TRIM(COALESCE(c.payer_name, ''))
LEFT JOIN filing_indicators AS f
  ON f.filing_indicator_code = c.filing_indicator_code
WHERE
  NOT c.payer_id IS NULL AND NOT c.plan_id IS NULL
GROUP BY
  c.payer_id,
  c.plan_id

-- name: plans
SELECT
  met.payer_id,
  met.plan_id,
  COALESCE(stated.plan_name, plan_names_sent.plan_name, met.plan_id) AS plan_name,
  COALESCE(stated.funding, facts.funding, kinds.funding, 'unknown') AS funding,
  CASE
    WHEN NOT stated.funding IS NULL
    THEN 'practice'
    WHEN NOT facts.funding IS NULL
    THEN 'payer_alias'
    WHEN NOT kinds.funding IS NULL
    THEN 'payer_type'
    ELSE 'unknown'
  END AS funding_source,
  COALESCE(stated.product, facts.product, facts.indicated_product, 'unknown') AS product,
  CASE
    WHEN NOT stated.product IS NULL
    THEN 'practice'
    WHEN NOT facts.product IS NULL
    THEN 'payer_alias'
    WHEN NOT facts.indicated_product IS NULL
    THEN 'filing_indicator'
    ELSE 'unknown'
  END AS product_source,
  stated.visit_limit_year
FROM (
  SELECT
    payer_id,
    plan_id
  FROM stated_plans
  UNION
  SELECT
    payer_id,
    plan_id
  FROM plan_names_sent
) AS met
LEFT JOIN stated_plans AS stated
  USING (payer_id, plan_id)
LEFT JOIN plan_names_sent
  USING (payer_id, plan_id)
LEFT JOIN plan_facts AS facts
  USING (payer_id, plan_id)
LEFT JOIN payers
  USING (payer_id)
LEFT JOIN payer_types AS kinds
  ON kinds.payer_type = payers.payer_type
ORDER BY
  stated.place NULLS LAST,
  met.payer_id NULLS LAST,
  met.plan_id NULLS LAST

-- name: network_periods_known
SELECT
  *
FROM network_periods
UNION ALL
SELECT
  'practice.toml-' || CAST(place AS STRING),
  'practice.toml',
  place + 1,
  payer_id,
  CAST(NULL AS STRING),
  network_status,
  network_since_date,
  CAST(NULL AS DATE),
  'practice.toml'
FROM stated_payers
WHERE
  NOT network_status IS NULL
