-- From the accepted rows of an export to claims, and to answers where it tells any.
-- Input: entries (see export_cells.py), one row for each accepted row. Parameters: digest and
-- file_name of the file; is_numbered, whether it numbers the lines of each claim; is_posting, whether
-- a row is one payment or adjustment instead of a line.

-- name: claim_rows
-- Rows that share number, patient and day are the lines of one claim. A row without a number is a
-- claim by itself. Where lines are numbered, the number is one claim's, and so are its days.
SELECT
    *,
    min(position) OVER (
        PARTITION BY
            sheet,
            patient_control_number,
            CASE WHEN patient_control_number IS NULL THEN position END,
            patient_id,
            CASE WHEN NOT getvariable('is_numbered') THEN service_date END
    ) AS claim_position
FROM entries

-- name: claim_versions
SELECT
    claim_position,
    version,
    row_number() OVER (PARTITION BY claim_position ORDER BY version) AS version_number
FROM (SELECT DISTINCT claim_position, version FROM claim_rows WHERE version IS NOT NULL) AS told

-- name: version_rows
SELECT r.*, coalesce(v.version_number, 1) AS version_number
FROM claim_rows AS r
LEFT JOIN claim_versions AS v ON v.claim_position = r.claim_position AND v.version = r.version

-- name: lined_rows
-- Each row is a line, or the postings of a code are one.
SELECT *, position AS line_position
FROM version_rows
WHERE NOT getvariable('is_posting')
UNION ALL
SELECT
    *,
    min(position) OVER (PARTITION BY claim_position, version_number, procedure_code, modifiers)
FROM version_rows
WHERE getvariable('is_posting')

-- name: lines
SELECT
    claim_position,
    version_number,
    line_position,
    line_number,
    procedure_code,
    modifiers,
    units,
    service_date,
    coalesce(service_to_date, service_date) AS service_to_date,
    charge,
    paid,
    allowed,
    patient_responsibility,
    payment_date,
    stated
FROM lined_rows
WHERE NOT getvariable('is_posting')
UNION ALL
SELECT
    claim_position,
    version_number,
    line_position,
    min(line_number),
    procedure_code,
    modifiers,
    arg_min(units, position),
    min(service_date),
    max(coalesce(service_to_date, service_date)),
    CAST(sum(charge) AS BIGINT),
    CAST(sum(paid) AS BIGINT),
    CAST(sum(allowed) AS BIGINT),
    CAST(sum(patient_responsibility) AS BIGINT),
    arg_min(payment_date, position),
    CASE WHEN count(DISTINCT coalesce(stated, '')) = 1 THEN min(stated) END
FROM lined_rows
WHERE getvariable('is_posting')
GROUP BY claim_position, version_number, line_position, procedure_code, modifiers

-- name: sent
-- A claim as its first version has it: what came later, the insurer changed.
SELECT
    claim_position,
    min(line_position) AS first_position,
    CAST(sum(charge) AS BIGINT) AS charge,
    min(service_date) AS service_date,
    max(service_to_date) AS service_to_date
FROM lines
WHERE version_number = 1
GROUP BY claim_position

-- name: claims
SELECT
    getvariable('digest') || '-' || CAST(s.claim_position AS VARCHAR) AS claim_version_id,
    getvariable('file_name') AS file_name,
    s.first_position AS position,
    'export' AS source,
    r.submitted_date,
    r.patient_control_number,
    r.patient_id,
    -- Many exports know an insurer by name alone; aliases join the name to an id.
    coalesce(r.payer_id, r.payer_name) AS payer_id,
    r.payer_name,
    r.plan_id,
    s.charge AS charge_cents,
    r.authorization_number,
    false AS has_note,
    s.service_date,
    s.service_to_date
FROM sent AS s
INNER JOIN claim_rows AS r ON r.position = s.first_position
ORDER BY s.claim_position

-- name: service_lines
SELECT
    getvariable('digest') || '-' || CAST(claim_position AS VARCHAR)
    || '-' || CAST(place AS VARCHAR) AS service_line_id,
    getvariable('digest') || '-' || CAST(claim_position AS VARCHAR) AS claim_version_id,
    place AS line_number,
    procedure_code,
    modifiers,
    charge AS charge_cents,
    units,
    service_date,
    service_to_date
FROM (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY claim_position ORDER BY line_number NULLS LAST, line_position
        ) AS place
    FROM lines
    WHERE version_number = 1
) AS placed
ORDER BY claim_position, place

-- name: diagnoses_met
-- Each text once for a claim: most rows repeat it.
SELECT claim_position, diagnoses, min(position) AS position
FROM version_rows
WHERE diagnoses IS NOT NULL AND version_number = 1
GROUP BY claim_position, diagnoses

-- name: claim_diagnoses
-- The codes of all rows, each once, in the order in which they are met.
SELECT
    getvariable('digest') || '-' || CAST(claim_position AS VARCHAR) AS claim_version_id,
    row_number() OVER (PARTITION BY claim_position ORDER BY position, place) AS diagnosis_position,
    diagnosis_code
FROM (
    SELECT
        claim_position,
        position,
        place,
        diagnosis_code,
        row_number() OVER (
            PARTITION BY claim_position, diagnosis_code ORDER BY position, place
        ) AS met
    FROM (
        SELECT
            claim_position,
            position,
            unnest(string_split(diagnoses, ':')) AS diagnosis_code,
            generate_subscripts(string_split(diagnoses, ':'), 1) AS place
        FROM diagnoses_met
    ) AS codes
) AS once
WHERE met = 1
ORDER BY claim_position, diagnosis_position

-- name: answered
SELECT DISTINCT claim_position FROM claim_rows WHERE tells

-- name: answers
-- Lines told different outcomes are answered apart: an outcome in words is said of a whole answer.
SELECT
    l.claim_position,
    l.version_number,
    l.stated,
    min(l.line_position) AS first_position,
    CAST(sum(l.charge) AS BIGINT) AS charge,
    CAST(coalesce(sum(l.paid), 0) AS BIGINT) AS paid,
    CAST(sum(l.patient_responsibility) AS BIGINT) AS patient_responsibility,
    arg_min(l.payment_date, l.line_position) AS payment_date,
    min(l.service_date) AS service_date,
    max(l.service_to_date) AS service_to_date,
    row_number() OVER (
        PARTITION BY l.claim_position ORDER BY l.version_number, min(l.line_position)
    ) AS answer_number
FROM lines AS l
INNER JOIN answered AS a ON a.claim_position = l.claim_position
GROUP BY l.claim_position, l.version_number, l.stated

-- name: version_dates
SELECT
    claim_position,
    version_number,
    min(first_position) AS first_position,
    min(payment_date) AS payment_date
FROM answers
WHERE version_number > 1
GROUP BY claim_position, version_number

-- name: answers_and_reversals
-- What a later version replaces is taken back on its day.
-- The first answer has the claim's own id, by which one without a number finds its claim.
SELECT
    claim_position,
    version_number,
    stated,
    first_position AS told_position,
    first_position AS position,
    payment_date,
    1 AS sign,
    CAST(NULL AS VARCHAR) AS claim_status_code,
    CASE WHEN answer_number > 1 THEN '-' || CAST(answer_number AS VARCHAR) ELSE '' END AS suffix,
    charge,
    paid,
    patient_responsibility,
    service_date,
    service_to_date
FROM answers
UNION ALL
SELECT
    a.claim_position,
    a.version_number,
    a.stated,
    a.first_position,
    v.first_position,
    coalesce(v.payment_date, a.payment_date),
    -1,
    '22',
    '-' || CAST(a.answer_number AS VARCHAR) || '-reversal',
    -a.charge,
    -a.paid,
    -a.patient_responsibility,
    a.service_date,
    a.service_to_date
FROM answers AS a
INNER JOIN version_dates AS v
    ON v.claim_position = a.claim_position AND v.version_number = a.version_number + 1

-- name: remittances
SELECT
    getvariable('digest') || '-' || CAST(a.claim_position AS VARCHAR) || a.suffix AS remittance_id,
    getvariable('digest') || '-' || CAST(a.claim_position AS VARCHAR) || '-export' AS payment_id,
    getvariable('file_name') AS file_name,
    a.position,
    'export' AS source,
    CASE WHEN a.sign > 0 THEN a.stated END AS stated_determination,
    r.patient_control_number,
    a.claim_status_code,
    a.charge AS charge_cents,
    a.paid AS paid_cents,
    a.patient_responsibility AS patient_responsibility_cents,
    r.payer_claim_control_number,
    r.patient_id,
    coalesce(r.payer_id, r.payer_name) AS payer_id,
    r.payer_name,
    a.payment_date,
    a.service_date,
    a.service_to_date
FROM answers_and_reversals AS a
INNER JOIN claim_rows AS r ON r.position = a.told_position
ORDER BY a.claim_position, a.version_number, a.told_position, a.sign DESC

-- name: answered_lines
SELECT
    getvariable('digest') || '-' || CAST(a.claim_position AS VARCHAR) || a.suffix AS remittance_id,
    a.claim_position,
    a.told_position,
    a.sign,
    l.*,
    row_number() OVER (
        PARTITION BY a.claim_position, a.suffix
        ORDER BY l.line_number NULLS LAST, l.line_position
    ) AS place
FROM answers_and_reversals AS a
INNER JOIN lines AS l
    ON
        l.claim_position = a.claim_position
        AND l.version_number = a.version_number
        AND l.stated IS NOT DISTINCT FROM a.stated

-- name: remittance_lines
SELECT
    remittance_id || '-' || CAST(place AS VARCHAR) AS remittance_line_id,
    remittance_id,
    place AS line_number,
    procedure_code,
    modifiers,
    charge * sign AS charge_cents,
    coalesce(paid, 0) * sign AS paid_cents,
    service_date,
    service_to_date,
    allowed * sign AS allowed_cents
FROM answered_lines
ORDER BY claim_position, version_number, told_position, sign DESC, place

-- name: adjustments
-- What was not paid, under the code the export gives, with its group where it names one.
SELECT
    remittance_line_id || '-' || CAST(reason_place AS VARCHAR) AS adjustment_id,
    remittance_id,
    remittance_line_id,
    'line' AS level,
    group_code,
    reason_code,
    amount_cents
FROM (
    SELECT
        l.remittance_id || '-' || CAST(l.place AS VARCHAR) AS remittance_line_id,
        l.remittance_id,
        l.claim_position,
        l.version_number,
        l.told_position,
        l.sign,
        l.place,
        r.group_code,
        r.reason_code,
        (r.charge - coalesce(r.paid, 0) - coalesce(r.patient_responsibility, 0)) * l.sign
            AS amount_cents,
        row_number() OVER (PARTITION BY l.remittance_id, l.place ORDER BY r.position)
            AS reason_place
    FROM answered_lines AS l
    INNER JOIN lined_rows AS r ON r.line_position = l.line_position
    WHERE
        r.reason_code IS NOT NULL
        AND r.charge - coalesce(r.paid, 0) - coalesce(r.patient_responsibility, 0) <> 0
) AS reasons
ORDER BY claim_position, version_number, told_position, sign DESC, place, reason_place
