-- Made from claims/coding.sql by tools/spark_sql.py; do not edit.

-- name: met_modifiers
SELECT
  m.modifier
FROM (
  SELECT
    modifiers
  FROM service_lines
  WHERE
    modifiers <> ''
  UNION ALL
  SELECT
    modifiers
  FROM remittance_lines
  WHERE
    modifiers <> ''
) AS l
LATERAL VIEW
EXPLODE(SPLIT(l.modifiers, CONCAT('\\Q', ':', '\\E'))) m AS modifier

-- name: met_codes
SELECT
  'CARC' AS code_system,
  reason_code AS code
FROM adjustments
UNION ALL
SELECT
  'CAS group',
  group_code
FROM adjustments
UNION ALL
SELECT
  'RARC',
  remark_code
FROM remarks
UNION ALL
SELECT
  'claim status',
  claim_status_code
FROM remittances
UNION ALL
SELECT
  'claim frequency',
  claim_frequency_code
FROM claims
UNION ALL
SELECT
  'CPT',
  procedure_code
FROM service_lines
UNION ALL
SELECT
  'CPT',
  procedure_code
FROM remittance_lines
UNION ALL
SELECT
  'modifier',
  modifier
FROM met_modifiers
UNION ALL
SELECT
  'ICD-10-CM',
  diagnosis_code
FROM claim_diagnoses
WHERE
  diagnosis_position = 1
UNION ALL
SELECT
  'technique',
  technique
FROM visit_techniques

-- name: known_codes
SELECT
  'CARC' AS code_system,
  reason_code AS code
FROM carc
UNION ALL
SELECT
  'CAS group',
  group_code
FROM group_codes
UNION ALL
SELECT
  'RARC',
  remark_code
FROM rarc
UNION ALL
SELECT
  'claim status',
  claim_status_code
FROM claim_statuses
UNION ALL
SELECT
  'claim frequency',
  claim_frequency_code
FROM claim_frequencies
UNION ALL
SELECT
  'CPT',
  procedure_code
FROM cpt
UNION ALL
SELECT
  'modifier',
  modifier
FROM modifiers
UNION ALL
SELECT
  'ICD-10-CM',
  d.diagnosis_code
FROM (
  SELECT DISTINCT
    diagnosis_code
  FROM claim_diagnoses
) AS d
INNER JOIN conditions AS k
  ON d.diagnosis_code RLIKE k.icd10_pattern
UNION ALL
SELECT
  'technique',
  technique
FROM techniques

-- name: unmapped_codes
SELECT
  m.code_system,
  m.code,
  COUNT(*) AS n_records
FROM met_codes AS m
LEFT JOIN known_codes AS k
  ON k.code_system = m.code_system AND k.code = m.code
WHERE
  NOT m.code IS NULL AND k.code IS NULL
GROUP BY
  m.code_system,
  m.code
ORDER BY
  n_records DESC,
  m.code_system NULLS LAST,
  m.code NULLS LAST

-- name: first_sent
SELECT
  claim_version_id AS claim_id,
  UPPER(TRIM(patient_control_number)) AS patient_control_number,
  service_date
FROM claims
WHERE
  NOT claim_version_id IN (
    SELECT
      record_id
    FROM claim_lineage
    WHERE
      record = 'claim_version' AND match_kind <> 'original'
  )
  AND UPPER(TRIM(patient_control_number)) IN (
    SELECT
      UPPER(TRIM(patient_control_number))
    FROM visit_techniques
  )

-- name: billed_visits
SELECT
  f.claim_id,
  MIN(f.patient_control_number) AS patient_control_number,
  COALESCE(s.service_date, f.service_date) AS service_date,
  LISTAGG(s.procedure_code, ':') AS billed
FROM first_sent AS f
INNER JOIN service_lines AS s
  ON s.claim_version_id = f.claim_id
WHERE
  NOT s.procedure_code IS NULL
GROUP BY
  f.claim_id,
  COALESCE(s.service_date, f.service_date)

-- name: usual_codes
SELECT
  t.technique,
  u.code
FROM techniques AS t
LATERAL VIEW
EXPLODE(SPLIT(t.usual_codes, CONCAT('\\Q', ';', '\\E'))) u AS code

-- name: billings
SELECT
  m.billed,
  ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST(DISTINCT c.code)), ':') AS procedure_codes
FROM (
  SELECT DISTINCT
    billed
  FROM billed_visits
) AS m
LATERAL VIEW
EXPLODE(SPLIT(m.billed, CONCAT('\\Q', ':', '\\E'))) c AS code
GROUP BY
  m.billed

-- name: judged_billings
SELECT
  b.billed,
  t.technique,
  EXISTS(
    SELECT
      1
    FROM usual_codes AS u
    WHERE
      u.technique = t.technique
      AND ':' || b.procedure_codes || ':' LIKE '%:' || u.code || ':%'
  ) AS is_usual
FROM billings AS b
CROSS JOIN techniques AS t

-- name: technique_codes
SELECT
  b.claim_id,
  v.service_date,
  v.technique,
  c.procedure_codes,
  j.is_usual
FROM (
  SELECT DISTINCT
    patient_control_number,
    service_date,
    technique
  FROM visit_techniques
) AS v
INNER JOIN billed_visits AS b
  ON b.patient_control_number = UPPER(TRIM(v.patient_control_number))
  AND b.service_date = v.service_date
INNER JOIN billings AS c
  ON c.billed = b.billed
LEFT JOIN judged_billings AS j
  ON j.billed = b.billed AND j.technique = v.technique
ORDER BY
  b.claim_id NULLS LAST,
  v.service_date NULLS LAST,
  v.technique NULLS LAST
