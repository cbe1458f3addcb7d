-- A number for every claim, version and remittance, and every record with the claim it belongs to.
-- Joining, grouping and sorting by the texts that name them costs several times as much; the numbers
-- have the order of the texts. A column `..._key` holds such a number, `..._id` the text.
-- Inputs: claims, claim_diagnoses, service_lines, remittances, remittance_lines, adjustments, remarks,
-- claim_lineage, acknowledgments.

-- name: claim_keys
-- A claim is named for one of its records.
SELECT claim_id, row_number() OVER (ORDER BY claim_id) AS claim_key
FROM (SELECT DISTINCT claim_id FROM claim_lineage WHERE claim_id = record_id) AS named

-- name: version_keys
SELECT
    l.record_id AS claim_version_id,
    row_number() OVER (ORDER BY l.record_id) AS claim_version_key,
    k.claim_key
FROM claim_lineage AS l
INNER JOIN claim_keys AS k ON k.claim_id = l.claim_id
WHERE l.record = 'claim_version'

-- name: remittance_keys
SELECT
    l.record_id AS remittance_id,
    row_number() OVER (ORDER BY l.record_id) AS remittance_key,
    k.claim_key
FROM claim_lineage AS l
INNER JOIN claim_keys AS k ON k.claim_id = l.claim_id
WHERE l.record = 'remittance'

-- name: versions_in_claims
-- With their principal diagnosis.
SELECT
    k.claim_key,
    k.claim_version_key,
    c.patient_control_number,
    c.claim_frequency_code,
    c.payer_sequence_code,
    c.patient_id,
    c.payer_id,
    c.plan_id,
    c.submitted_date,
    c.service_date,
    c.charge_cents,
    d.diagnosis_code
FROM claims AS c
INNER JOIN version_keys AS k ON k.claim_version_id = c.claim_version_id
LEFT JOIN claim_diagnoses AS d
    ON d.claim_version_id = c.claim_version_id AND d.diagnosis_position = 1

-- name: lines_in_claims
SELECT
    k.claim_key,
    k.claim_version_key,
    s.service_line_id,
    s.line_number,
    s.line_control_number,
    s.procedure_code,
    s.modifiers,
    s.units,
    s.service_date,
    s.charge_cents
FROM service_lines AS s
INNER JOIN version_keys AS k ON k.claim_version_id = s.claim_version_id

-- name: remittances_in_claims
SELECT
    k.claim_key,
    k.remittance_key,
    r.source,
    r.payment_id,
    r.position,
    r.patient_control_number,
    r.claim_status_code,
    r.claim_frequency_code,
    r.payer_claim_control_number,
    r.patient_id,
    r.payer_id,
    r.charge_cents,
    r.paid_cents,
    r.payment_date,
    r.service_date,
    r.stated_determination
FROM remittances AS r
INNER JOIN remittance_keys AS k ON k.remittance_id = r.remittance_id

-- name: remittance_lines_in_claims
SELECT
    k.claim_key,
    k.remittance_key,
    s.remittance_line_id,
    s.line_number,
    s.line_control_number,
    coalesce(s.submitted_procedure_code, s.procedure_code) AS procedure_code,
    s.modifiers,
    s.service_date,
    s.charge_cents,
    s.paid_cents,
    s.allowed_cents,
    s.units < s.submitted_units AS is_cut_in_units
FROM remittance_lines AS s
INNER JOIN remittance_keys AS k ON k.remittance_id = s.remittance_id

-- name: adjustments_in_claims
SELECT
    k.claim_key,
    k.remittance_key,
    a.remittance_line_id,
    a.group_code,
    a.reason_code,
    a.amount_cents
FROM adjustments AS a
INNER JOIN remittance_keys AS k ON k.remittance_id = a.remittance_id

-- name: remarks_in_claims
SELECT
    k.claim_key,
    k.remittance_key,
    m.remittance_line_id,
    m.remark_id,
    m.remark_code
FROM remarks AS m
INNER JOIN remittance_keys AS k ON k.remittance_id = m.remittance_id

-- name: acknowledged_numbers
-- The claims whose number or set a clearinghouse or insurer named.
SELECT
    k.claim_key,
    upper(trim(c.patient_control_number)) AS control_number,
    c.set_reference,
    c.submitted_date
FROM claims AS c
INNER JOIN version_keys AS k ON k.claim_version_id = c.claim_version_id
WHERE
    upper(trim(c.patient_control_number))
    IN (SELECT upper(trim(patient_control_number)) FROM acknowledgments)
    OR split_part(c.set_reference, '/', 1)
    IN (SELECT split_part(set_reference, '/', 1) FROM acknowledgments)

-- name: acknowledged_versions
-- The submissions a clearinghouse or insurer answered before any adjudication: the last ones under
-- that number before the answer, for a practice may use a number for every visit of a patient.
SELECT acknowledgment_id, claim_key, is_accepted, effective_date
FROM (
    SELECT
        k.acknowledgment_id,
        v.claim_key,
        k.is_accepted,
        k.effective_date,
        rank() OVER (
            PARTITION BY k.acknowledgment_id
            ORDER BY
                CASE WHEN v.submitted_date <= k.effective_date THEN 0 ELSE 1 END,
                v.submitted_date DESC NULLS LAST
        ) AS choice
    FROM acknowledgments AS k
    INNER JOIN acknowledged_numbers AS v
        ON v.control_number = upper(trim(k.patient_control_number))
    WHERE k.is_accepted IS NOT NULL
    UNION ALL
    -- A 999 answers for every claim of a set, or of a group, within days; numbers are used again.
    SELECT
        k.acknowledgment_id,
        v.claim_key,
        k.is_accepted,
        k.effective_date,
        rank() OVER (PARTITION BY k.acknowledgment_id ORDER BY v.submitted_date DESC) AS choice
    FROM acknowledgments AS k
    INNER JOIN acknowledged_numbers AS v
        ON
            split_part(v.set_reference, '/', 1) = split_part(k.set_reference, '/', 1)
            AND split_part(k.set_reference, '/', 2) IN ('', split_part(v.set_reference, '/', 2))
    WHERE
        k.is_accepted IS NOT NULL
        AND v.submitted_date <= k.effective_date
        AND v.submitted_date >= k.effective_date - INTERVAL 30 DAY
) AS ranked
WHERE choice = 1

-- name: latest_acknowledgments
SELECT claim_key, is_accepted, effective_date
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_key ORDER BY effective_date DESC NULLS LAST, is_accepted, acknowledgment_id
        ) AS from_last
    FROM acknowledged_versions
) AS ranked
WHERE from_last = 1
