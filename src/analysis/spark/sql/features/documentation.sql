-- Made from features/documentation.sql by tools/spark_sql.py; do not edit.

-- name: submissions
SELECT
  c.claim_version_id AS claim_id,
  UPPER(TRIM(c.patient_control_number)) AS control_number,
  c.patient_id,
  c.payer_id,
  c.service_date,
  COALESCE(c.service_to_date, c.service_date) AS service_to_date,
  c.submitted_date,
  c.authorization_number,
  c.referral_number,
  c.referring_provider_id,
  c.rendering_provider_id,
  COALESCE(c.onset_date, c.accident_date, c.initial_treatment_date) AS first_date,
  ':' || COALESCE(c.attachment_codes, '') || ':' AS attachment_codes,
  ':' || COALESCE(c.note_codes, '') || ':' AS note_codes,
  o.payer_type,
  o.condition_group,
  COALESCE(o.visit_number, 1) AS visit_number
FROM claims AS c
INNER JOIN claim_outcomes AS o
  ON o.claim_id = c.claim_version_id

-- name: ruled_items
SELECT
  s.claim_id,
  CASE r.rule
    WHEN 'referral_required'
    THEN 'D02_prescription'
    ELSE 'D04_authorization'
  END AS item_id,
  BOOL_OR(
    CASE r.rule
      WHEN 'referral_required'
      THEN COALESCE(r.value, 1) > 0
      ELSE s.visit_number > r.value
    END
  ) AS is_required
FROM submissions AS s
INNER JOIN rules_in_force AS r
  ON r.claim_id = s.claim_id
WHERE
  (
    r.rule = 'referral_required'
    OR (
      r.rule = 'authorization_after_visit' AND NOT r.value IS NULL
    )
  )
  AND (
    r.procedure_code = ''
    OR EXISTS(
      SELECT
        1
      FROM service_lines AS l
      WHERE
        l.claim_version_id = s.claim_id AND l.procedure_code = r.procedure_code
    )
  )
GROUP BY
  s.claim_id,
  2

-- name: required_items
SELECT
  s.claim_id,
  r.item_id
FROM submissions AS s
INNER JOIN requirements AS r
  ON r.payer_type = s.payer_type
  AND s.visit_number >= r.visit_from
  AND (
    r.condition_group IS NULL OR r.condition_group = s.condition_group
  )
LEFT JOIN ruled_items AS u
  ON u.claim_id = s.claim_id AND u.item_id = r.item_id
WHERE
  u.claim_id IS NULL
UNION
SELECT
  claim_id,
  item_id
FROM ruled_items
WHERE
  is_required

-- name: claim_elements
SELECT
  claim_id,
  'D01_license' AS item_id,
  'NM1 82' AS element
FROM submissions
WHERE
  NOT rendering_provider_id IS NULL
UNION
SELECT
  claim_id,
  'D02_prescription',
  'REF 9F'
FROM submissions
WHERE
  NOT referral_number IS NULL
UNION
SELECT
  claim_id,
  'D02_prescription',
  'NM1 DN'
FROM submissions
WHERE
  NOT referring_provider_id IS NULL
UNION
SELECT
  claim_id,
  'D03_dates',
  'DTP'
FROM submissions
WHERE
  NOT first_date IS NULL
UNION
SELECT
  claim_id,
  'D04_authorization',
  'REF G1'
FROM submissions
WHERE
  NOT authorization_number IS NULL
UNION
SELECT
  s.claim_id,
  'D04_authorization',
  'REF G1'
FROM submissions AS s
INNER JOIN service_lines AS l
  ON l.claim_version_id = s.claim_id
WHERE
  NOT l.authorization_number IS NULL
UNION
SELECT
  s.claim_id,
  'D06_diagnosis',
  'HI'
FROM submissions AS s
INNER JOIN claim_diagnoses AS d
  ON d.claim_version_id = s.claim_id
UNION
SELECT
  s.claim_id,
  a.item_id,
  'PWK ' || a.code
FROM submissions AS s
INNER JOIN item_attachments AS a
  ON s.attachment_codes LIKE '%:' || a.code || ':%'
UNION
SELECT
  s.claim_id,
  n.item_id,
  'NTE ' || n.code
FROM submissions AS s
INNER JOIN item_notes AS n
  ON s.note_codes LIKE '%:' || n.code || ':%'

-- name: claim_evidence
SELECT DISTINCT
  claim_id,
  item_id
FROM claim_elements

-- name: attested_answers
SELECT
  s.claim_id,
  a.item_id,
  a.service_date,
  CASE
    WHEN a.status = 'present' AND a.existed_date > s.submitted_date
    THEN 'absent'
    ELSE a.status
  END AS status,
  a.existed_date
FROM submissions AS s
INNER JOIN attested_documents AS a
  ON UPPER(TRIM(a.patient_control_number)) = s.control_number
  AND (
    a.service_date IS NULL
    OR (
      a.service_date >= s.service_date AND a.service_date <= s.service_to_date
    )
  )
WHERE
  a.status <> 'unknown'
UNION ALL
SELECT
  s.claim_id,
  'D08_minutes',
  m.service_date,
  'present',
  CAST(NULL AS DATE)
FROM submissions AS s
INNER JOIN visit_minutes AS m
  ON UPPER(TRIM(m.patient_control_number)) = s.control_number
  AND m.service_date >= s.service_date
  AND m.service_date <= s.service_to_date
UNION ALL
SELECT
  s.claim_id,
  'D04_authorization',
  s.service_date,
  'present',
  z.decision_date
FROM submissions AS s
INNER JOIN authorizations AS z
  ON z.patient_id = s.patient_id AND z.payer_id = s.payer_id
WHERE
  LOWER(z.status) = 'approved'
  AND z.start_date <= s.service_date
  AND z.end_date >= s.service_to_date
  AND z.decision_date <= s.submitted_date
  AND (
    COALESCE(z.procedure_codes, '') = ''
    OR EXISTS(
      SELECT
        1
      FROM service_lines AS l
      WHERE
        l.claim_version_id = s.claim_id
        AND ':' || z.procedure_codes || ':' LIKE '%:' || l.procedure_code || ':%'
    )
  )
UNION ALL
SELECT
  s.claim_id,
  'D02_prescription',
  s.service_date,
  'present',
  p.prescribed_date
FROM submissions AS s
INNER JOIN prescriptions AS p
  ON p.patient_id = s.patient_id
WHERE
  p.prescribed_date <= s.service_date
  AND (
    p.expiry_date IS NULL OR p.expiry_date >= s.service_to_date
  )
  AND (
    COALESCE(p.diagnosis_codes, '') = ''
    OR EXISTS(
      SELECT
        1
      FROM fitting_prescriptions AS f
      WHERE
        f.prescription_id = p.prescription_id AND f.claim_id = s.claim_id
    )
  )

-- name: attested_visits
SELECT
  claim_id,
  item_id,
  service_date,
  CASE
    WHEN MAX(CASE WHEN status = 'present' THEN 1 ELSE 0 END) = 1
    THEN 'present'
    WHEN MAX(CASE WHEN status = 'absent' THEN 1 ELSE 0 END) = 1
    THEN 'absent'
    ELSE 'not_required'
  END AS status,
  MIN(CASE WHEN status = 'present' THEN existed_date END) AS present_date,
  MIN(existed_date) AS existed_date
FROM attested_answers
GROUP BY
  claim_id,
  item_id,
  service_date

-- name: attested
SELECT
  claim_id,
  item_id,
  CASE
    WHEN MAX(CASE WHEN status = 'absent' THEN 1 ELSE 0 END) = 1
    THEN 'absent'
    WHEN MAX(CASE WHEN status = 'present' THEN 1 ELSE 0 END) = 1
    THEN 'present'
    ELSE 'not_required'
  END AS status,
  MAX(CASE WHEN status = 'present' THEN present_date ELSE existed_date END) AS existed_date
FROM attested_visits
GROUP BY
  claim_id,
  item_id

-- name: remarked
SELECT
  s.claim_id,
  k.item_id,
  k.remark_code,
  MIN(r.payment_date) AS said_date
FROM submissions AS s
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.claim_id = s.claim_id
INNER JOIN remarks AS m
  ON m.remittance_id = l.record_id
INNER JOIN rarc AS k
  ON k.remark_code = m.remark_code
INNER JOIN checklist AS i
  ON i.item_id = k.item_id
LEFT JOIN remittances AS r
  ON r.remittance_id = l.record_id
GROUP BY
  s.claim_id,
  k.item_id,
  k.remark_code

-- name: channel_statuses
SELECT
  e.claim_id,
  e.item_id,
  'claim' AS channel,
  'present' AS status,
  CAST(NULL AS DATE) AS existed_date,
  s.submitted_date AS said_date
FROM claim_evidence AS e
INNER JOIN submissions AS s
  ON s.claim_id = e.claim_id
UNION ALL
SELECT
  r.claim_id,
  r.item_id,
  'claim',
  'unknown',
  CAST(NULL AS DATE),
  CAST(NULL AS DATE)
FROM required_items AS r
LEFT JOIN claim_evidence AS e
  ON e.claim_id = r.claim_id AND e.item_id = r.item_id
WHERE
  e.claim_id IS NULL
UNION ALL
SELECT
  claim_id,
  item_id,
  'attested',
  status,
  existed_date,
  CAST(NULL AS DATE)
FROM attested
UNION ALL
SELECT
  r.claim_id,
  r.item_id,
  'attested',
  'unknown',
  CAST(NULL AS DATE),
  CAST(NULL AS DATE)
FROM required_items AS r
LEFT JOIN attested AS a
  ON a.claim_id = r.claim_id AND a.item_id = r.item_id
WHERE
  a.claim_id IS NULL
UNION ALL
SELECT
  claim_id,
  item_id,
  'remittance',
  'absent',
  CAST(NULL AS DATE),
  MIN(said_date)
FROM remarked
GROUP BY
  claim_id,
  item_id

-- name: documentation
SELECT
  c.claim_id,
  c.item_id,
  c.channel,
  c.status,
  c.existed_date,
  c.said_date,
  NOT r.claim_id IS NULL AS is_required
FROM channel_statuses AS c
LEFT JOIN required_items AS r
  ON r.claim_id = c.claim_id AND r.item_id = c.item_id
ORDER BY
  c.claim_id NULLS LAST,
  c.item_id NULLS LAST,
  c.channel NULLS LAST

-- name: known_present
SELECT
  claim_id,
  item_id,
  channel
FROM channel_statuses
WHERE
  status = 'present' AND channel IN ('attested', 'claim')

-- name: documentation_contradictions
SELECT
  p.claim_id,
  p.item_id,
  p.channel AS present_channel,
  'remittance' AS absent_channel,
  r.remark_code AS code
FROM known_present AS p
INNER JOIN remarked AS r
  ON r.claim_id = p.claim_id AND r.item_id = p.item_id
UNION ALL
SELECT
  e.claim_id,
  e.item_id,
  'claim',
  'attested',
  e.element
FROM claim_elements AS e
INNER JOIN attested AS a
  ON a.claim_id = e.claim_id AND a.item_id = e.item_id
WHERE
  a.status = 'absent'
ORDER BY
  claim_id NULLS LAST,
  item_id NULLS LAST,
  present_channel NULLS LAST,
  absent_channel NULLS LAST,
  code NULLS LAST
