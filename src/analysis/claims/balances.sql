-- The cent ledger: every sum a file states is held against its parts, and every answer against the
-- claim sent. What does not agree is kept as it is and marked; nothing is mended.
-- Inputs: claims, service_lines, payments, remittances, remittance_lines, adjustments,
-- provider_adjustments, file_checks, claim_lineage, line_lineage, claim_diagnoses, check_names,
-- icd10_changes, cpt, carc.
-- Children are summed before they are joined, so no amount counts twice. Amounts of a reversal are
-- negative throughout, so the same sums hold for it.

-- name: line_adjustments
SELECT remittance_line_id, sum(amount_cents) AS adjusted_cents
FROM adjustments
WHERE remittance_line_id IS NOT NULL
GROUP BY remittance_line_id

-- name: claim_adjustments
SELECT
    remittance_id,
    sum(amount_cents) AS adjusted_cents,
    sum(CASE WHEN remittance_line_id IS NULL THEN amount_cents ELSE 0 END) AS claim_level_cents,
    sum(CASE WHEN group_code = 'PR' THEN amount_cents ELSE 0 END) AS patient_cents
FROM adjustments
GROUP BY remittance_id

-- name: answered_sums
SELECT
    remittance_id,
    sum(charge_cents) AS charge_cents,
    sum(paid_cents) AS paid_cents
FROM remittance_lines
GROUP BY remittance_id

-- name: sent_sums
SELECT claim_version_id, sum(charge_cents) AS charge_cents
FROM service_lines
GROUP BY claim_version_id

-- name: payment_sums
SELECT payment_id, sum(paid_cents) AS paid_cents FROM remittances GROUP BY payment_id

-- name: moved_sums
SELECT payment_id, sum(amount_cents) AS moved_cents FROM provider_adjustments GROUP BY payment_id

-- name: answers_with_sums
SELECT
    r.remittance_id,
    r.file_name,
    r.interchange,
    r.segment,
    r.claim_status_code,
    r.charge_cents,
    r.paid_cents,
    r.patient_responsibility_cents,
    s.charge_cents AS line_charge_cents,
    s.paid_cents AS line_paid_cents,
    coalesce(a.adjusted_cents, 0) AS adjusted_cents,
    coalesce(a.claim_level_cents, 0) AS claim_level_cents,
    coalesce(a.patient_cents, 0) AS patient_cents
FROM remittances AS r
LEFT JOIN answered_sums AS s ON s.remittance_id = r.remittance_id
LEFT JOIN claim_adjustments AS a ON a.remittance_id = r.remittance_id
WHERE r.source = 'x12'

-- name: sent_versions
-- Voids carry charges of their own but no insurer answers them with money.
SELECT
    l.claim_id,
    c.claim_version_id,
    c.charge_cents,
    c.submitted_date,
    c.service_date,
    c.service_to_date,
    c.facility_code,
    c.other_payer_paid_cents,
    coalesce(c.payer_sequence_code, 'P') = 'P' AS is_primary
FROM claims AS c
INNER JOIN claim_lineage AS l ON l.record = 'claim_version' AND l.record_id = c.claim_version_id
WHERE coalesce(c.claim_frequency_code, '1') <> '8'

-- name: answers_in_claims
SELECT
    l.claim_id,
    r.remittance_id,
    r.file_name,
    r.interchange,
    r.segment,
    r.payment_date,
    r.service_date,
    r.payer_id,
    r.facility_code,
    coalesce(r.claim_status_code, '1') IN ('2', '3', '20', '21') AS is_later_insurer,
    r.charge_cents < 0 AS is_taken_back,
    abs(r.charge_cents) AS charge_cents,
    l.match_kind
FROM remittances AS r
INNER JOIN claim_lineage AS l ON l.record = 'remittance' AND l.record_id = r.remittance_id
WHERE r.source = 'x12'

-- name: nearest_versions
-- The version an answer fits best, and what the answer and others of its kind charge together: an
-- insurer may split one claim over several CLPs, days and files.
SELECT
    *,
    sum(charge_cents) OVER (
        PARTITION BY claim_id, payer_id, is_taken_back, charge_cents < sent_cents
    ) AS parts_cents
FROM (
    SELECT
        a.*,
        v.charge_cents AS sent_cents,
        v.facility_code AS sent_facility_code,
        row_number() OVER (
            PARTITION BY a.remittance_id
            ORDER BY
                CASE WHEN v.charge_cents = a.charge_cents THEN 0 ELSE 1 END,
                CASE WHEN v.submitted_date <= a.payment_date THEN 0 ELSE 1 END,
                v.submitted_date DESC NULLS LAST,
                v.claim_version_id
        ) AS choice
    FROM answers_in_claims AS a
    INNER JOIN sent_versions AS v ON v.claim_id = a.claim_id
) AS ranked
WHERE choice = 1

-- name: sums_of_versions
-- One row for each sum and the record it was checked on; null where a side is unknown.
SELECT
    'sent_charge' AS check_name, c.claim_version_id AS record_id, c.file_name, c.interchange,
    c.segment, s.charge_cents AS expected_cents, c.charge_cents AS found_cents
FROM claims AS c
LEFT JOIN sent_sums AS s ON s.claim_version_id = c.claim_version_id
WHERE c.source = 'x12'

-- name: sums_of_answered_lines
SELECT
    'line_paid' AS check_name, s.remittance_line_id AS record_id, r.file_name, r.interchange,
    s.segment, s.charge_cents - coalesce(a.adjusted_cents, 0) AS expected_cents,
    s.paid_cents AS found_cents
FROM remittance_lines AS s
INNER JOIN answers_with_sums AS r ON r.remittance_id = s.remittance_id
LEFT JOIN line_adjustments AS a ON a.remittance_line_id = s.remittance_line_id

-- name: sums_of_answers
SELECT
    'claim_charge' AS check_name, remittance_id AS record_id, file_name, interchange, segment,
    line_charge_cents AS expected_cents, charge_cents AS found_cents
FROM answers_with_sums
WHERE line_charge_cents IS NOT NULL
UNION ALL
SELECT
    'claim_paid', remittance_id, file_name, interchange, segment,
    charge_cents - adjusted_cents, paid_cents
FROM answers_with_sums
UNION ALL
-- An adjustment of the whole claim lowers what its lines pay.
SELECT
    'claim_paid_by_lines', remittance_id, file_name, interchange, segment,
    line_paid_cents - claim_level_cents, paid_cents
FROM answers_with_sums
WHERE line_paid_cents IS NOT NULL
UNION ALL
-- CLP05 is left out where the patient owes nothing, and in a reversal.
SELECT
    'responsibility', remittance_id, file_name, interchange, segment,
    patient_cents, coalesce(patient_responsibility_cents, 0)
FROM answers_with_sums
WHERE coalesce(claim_status_code, '') <> '22' OR patient_responsibility_cents IS NOT NULL
UNION ALL
SELECT
    'answered_charge', remittance_id, file_name, interchange, segment,
    sent_cents,
    CASE WHEN parts_cents = sent_cents THEN parts_cents ELSE charge_cents END
FROM nearest_versions

-- name: sums_of_payments
SELECT
    'deposit' AS check_name, p.payment_id AS record_id, p.file_name, p.interchange, p.segment,
    coalesce(s.paid_cents, 0) - coalesce(m.moved_cents, 0) AS expected_cents,
    p.deposit_cents AS found_cents
FROM payments AS p
LEFT JOIN payment_sums AS s ON s.payment_id = p.payment_id
LEFT JOIN moved_sums AS m ON m.payment_id = p.payment_id

-- name: sums
SELECT * FROM sums_of_versions
UNION ALL
SELECT * FROM sums_of_answered_lines
UNION ALL
SELECT * FROM sums_of_answers
UNION ALL
SELECT * FROM sums_of_payments

-- name: sent_period
SELECT min(service_date) AS first_date, max(service_to_date) AS last_date FROM claims

-- name: lines_of_sent_claims
-- The next statements join one table each: what memory cannot hold at once is made one by one.
SELECT remittance_line_id, service_line_id, match_kind
FROM line_lineage
WHERE claim_id IN (SELECT claim_id FROM sent_versions WHERE is_primary)

-- name: lines_as_answered
SELECT
    l.remittance_line_id,
    l.service_line_id,
    l.match_kind,
    s.remittance_id,
    s.segment,
    s.procedure_code AS answered_code,
    s.submitted_procedure_code AS recoded_from,
    s.service_date AS answered_date,
    s.line_control_number AS answered_number,
    s.modifiers AS answered_modifiers,
    coalesce(s.submitted_units, s.units) AS answered_units
FROM lines_of_sent_claims AS l
INNER JOIN remittance_lines AS s ON s.remittance_line_id = l.remittance_line_id

-- name: lines_as_sent
SELECT
    l.*,
    q.claim_version_id,
    q.procedure_code AS sent_code,
    q.service_date AS sent_date,
    q.service_to_date AS sent_to_date,
    q.line_control_number AS sent_number,
    q.modifiers AS sent_modifiers,
    q.units AS sent_units
FROM lines_as_answered AS l
LEFT JOIN service_lines AS q ON q.service_line_id = l.service_line_id

-- name: lines_in_answers
SELECT
    l.*,
    r.file_name,
    r.interchange,
    r.service_date AS answer_date
FROM lines_as_sent AS l
INNER JOIN answers_in_claims AS r ON r.remittance_id = l.remittance_id

-- name: answered_lines
-- Each answered line of a claim that was sent, beside the line it is about.
SELECT
    l.remittance_line_id,
    l.file_name,
    l.interchange,
    l.segment,
    l.match_kind,
    l.sent_code,
    l.answered_code,
    l.recoded_from,
    coalesce(l.sent_date, v.service_date) AS sent_date,
    coalesce(l.sent_to_date, v.service_to_date) AS sent_to_date,
    coalesce(l.answered_date, l.answer_date) AS answered_date,
    l.sent_number,
    l.answered_number,
    l.sent_modifiers,
    l.answered_modifiers,
    l.sent_units,
    l.answered_units
FROM lines_in_answers AS l
LEFT JOIN sent_versions AS v ON v.claim_version_id = l.claim_version_id

-- name: answers_alike
-- One row for each likeness and the record it was checked on; null where a side is unknown.
SELECT
    'answer_has_claim' AS check_name, a.remittance_id AS record_id, a.file_name, a.interchange,
    a.segment, 'a claim' AS expected,
    CASE WHEN a.match_kind = 'remittance_only' THEN 'none' ELSE 'a claim' END AS found
FROM answers_in_claims AS a
CROSS JOIN sent_period AS p
-- Answers to months whose claims were never given are no surprise.
WHERE a.service_date IS NULL OR (a.service_date >= p.first_date AND a.service_date <= p.last_date)
UNION ALL
-- A second insurer answers after a first; where none did, it takes itself for the second.
SELECT
    'first_insurer_answered', remittance_id, file_name, interchange, segment, 'an answer',
    CASE
        WHEN
            claim_id IN (SELECT claim_id FROM answers_in_claims WHERE NOT is_later_insurer)
            OR claim_id IN (
                SELECT claim_id FROM sent_versions WHERE other_payer_paid_cents IS NOT NULL
            )
            THEN 'an answer'
        ELSE 'none'
    END
FROM answers_in_claims
WHERE is_later_insurer
UNION ALL
SELECT
    'answered_place', remittance_id, file_name, interchange, segment,
    sent_facility_code, facility_code
FROM nearest_versions
UNION ALL
-- The visit before the claim is received, and the claim before it is answered.
SELECT
    'answered_in_time_order', r.remittance_id, r.file_name, r.interchange, r.segment, 'in order',
    CASE
        WHEN r.received_date > r.payment_date THEN 'received after the answer'
        WHEN r.service_date > r.received_date THEN 'received before the visit'
        WHEN r.received_date < f.first_date THEN 'received before it was sent'
        WHEN r.service_date > r.payment_date THEN 'answered before the visit'
        WHEN r.service_date < r.payment_date - INTERVAL 10 YEAR THEN 'a visit ten years back'
        ELSE 'in order'
    END
FROM remittances AS r
LEFT JOIN (
    SELECT l.record_id, min(v.submitted_date) AS first_date
    FROM claim_lineage AS l
    INNER JOIN sent_versions AS v ON v.claim_id = l.claim_id
    WHERE l.record = 'remittance'
    GROUP BY l.record_id
) AS f ON f.record_id = r.remittance_id
WHERE r.source = 'x12' AND r.payment_date IS NOT NULL AND r.service_date IS NOT NULL
UNION ALL
-- Status 4 (denied) on an answer that pays says two things.
SELECT
    'status_and_payment', remittance_id, file_name, interchange, segment, 'one thing',
    CASE
        WHEN claim_status_code = '4' AND paid_cents <> 0 THEN 'denied, and paid'
        ELSE 'one thing'
    END
FROM answers_with_sums
WHERE claim_status_code IS NOT NULL

-- name: answered_lines_alike
SELECT
    'answered_line' AS check_name, remittance_line_id AS record_id, file_name, interchange, segment,
    'a line sent' AS expected,
    CASE WHEN match_kind = 'beyond' THEN 'none' ELSE 'a line sent' END AS found
FROM answered_lines
UNION ALL
SELECT
    'answered_number', remittance_line_id, file_name, interchange, segment,
    sent_number, answered_number
FROM answered_lines
WHERE match_kind <> 'beyond'
UNION ALL
SELECT
    'answered_code', remittance_line_id, file_name, interchange, segment, sent_code,
    CASE WHEN sent_code IN (answered_code, recoded_from) THEN sent_code ELSE answered_code END
FROM answered_lines
WHERE match_kind <> 'beyond'
UNION ALL
SELECT
    'answered_day', remittance_line_id, file_name, interchange, segment,
    CAST(sent_date AS VARCHAR),
    CAST(
        CASE
            WHEN answered_date > sent_date AND answered_date <= sent_to_date THEN sent_date
            ELSE answered_date
        END AS VARCHAR
    )
FROM answered_lines
WHERE match_kind <> 'beyond'
UNION ALL
SELECT
    'answered_units', remittance_line_id, file_name, interchange, segment,
    CAST(sent_units AS VARCHAR), CAST(answered_units AS VARCHAR)
FROM answered_lines
WHERE match_kind <> 'beyond'
UNION ALL
-- Insurers may leave modifiers out of an answer, and change them where they change the code.
SELECT
    'answered_modifiers', remittance_line_id, file_name, interchange, segment,
    sent_modifiers, answered_modifiers
FROM answered_lines
WHERE match_kind <> 'beyond' AND sent_code = answered_code AND answered_modifiers <> ''

-- name: versions_in_order
SELECT
    'sent_day' AS check_name, claim_version_id AS record_id, file_name, interchange, segment,
    'a day of service' AS expected,
    CASE WHEN service_date IS NULL THEN 'none' ELSE 'a day of service' END AS found
FROM claims
UNION ALL
SELECT
    'sent_member', claim_version_id, file_name, interchange, segment, 'a member number',
    CASE WHEN patient_id IS NULL THEN 'none' ELSE 'a member number' END
FROM claims
WHERE source = 'x12'
UNION ALL
SELECT
    'sent_diagnosis', claim_version_id, file_name, interchange, segment, 'a principal diagnosis',
    CASE
        WHEN claim_version_id IN (
            SELECT claim_version_id FROM claim_diagnoses WHERE diagnosis_position = 1
        )
            THEN 'a principal diagnosis'
        ELSE 'none'
    END
FROM claims
WHERE source = 'x12'
UNION ALL
-- Onset and accident before the visit, and the visit before the claim is sent.
SELECT
    'sent_in_time_order', claim_version_id, file_name, interchange, segment, 'in order',
    CASE
        WHEN
            coalesce(onset_date, accident_date, service_date) > service_date
            OR coalesce(accident_date, service_date) > service_date
            OR coalesce(initial_treatment_date, service_date) > service_date
            THEN 'an event after the visit'
        WHEN service_to_date > submitted_date THEN 'sent before the visit'
        WHEN service_date < submitted_date - INTERVAL 10 YEAR THEN 'a visit ten years back'
        ELSE 'in order'
    END
FROM claims
WHERE service_date IS NOT NULL AND submitted_date IS NOT NULL

-- name: diagnoses_out_of_force
SELECT
    d.claim_version_id,
    coalesce(
        min(k.diagnosis_code) || ' ended, now ' || min(k.replaced_by),
        min(CASE WHEN b.diagnosis_code IS NOT NULL THEN d.diagnosis_code END)
        || ' not yet in force, then still ' || min(b.diagnosis_code)
    ) AS found
FROM claim_diagnoses AS d
INNER JOIN claims AS c ON c.claim_version_id = d.claim_version_id
LEFT JOIN icd10_changes AS k
    ON k.diagnosis_code = d.diagnosis_code AND c.service_date > CAST(k.valid_to AS DATE)
LEFT JOIN icd10_changes AS b
    ON
        ';' || b.replaced_by || ';' LIKE '%;' || d.diagnosis_code || ';%'
        AND c.service_date <= CAST(b.valid_to AS DATE)
WHERE k.diagnosis_code IS NOT NULL OR b.diagnosis_code IS NOT NULL
GROUP BY d.claim_version_id

-- name: diagnoses_in_force
SELECT
    'sent_diagnosis_in_force' AS check_name, c.claim_version_id AS record_id, c.file_name,
    c.interchange, c.segment, 'in force that day' AS expected,
    coalesce(d.found, 'in force that day') AS found
FROM claims AS c
LEFT JOIN diagnoses_out_of_force AS d ON d.claim_version_id = c.claim_version_id
WHERE
    c.service_date IS NOT NULL
    AND c.claim_version_id IN (SELECT claim_version_id FROM claim_diagnoses)

-- name: sent_lines_in_order
SELECT
    'sent_day' AS check_name, s.service_line_id AS record_id, c.file_name, c.interchange, s.segment,
    'a day of service' AS expected,
    CASE WHEN s.service_date IS NULL THEN 'none' ELSE 'a day of service' END AS found
FROM service_lines AS s
INNER JOIN claims AS c ON c.claim_version_id = s.claim_version_id
WHERE c.source = 'x12'
UNION ALL
-- Only where an insurer answered line by line can it have passed one over.
SELECT
    'sent_line_answered', s.service_line_id, c.file_name, c.interchange, s.segment, 'an answer',
    CASE
        WHEN s.service_line_id IN (SELECT service_line_id FROM line_lineage) THEN 'an answer'
        ELSE 'none'
    END
FROM service_lines AS s
INNER JOIN claims AS c ON c.claim_version_id = s.claim_version_id
WHERE
    s.claim_version_id IN (
        SELECT q.claim_version_id
        FROM line_lineage AS l
        INNER JOIN service_lines AS q ON q.service_line_id = l.service_line_id
    )
UNION ALL
SELECT
    'sent_line_diagnosis', s.service_line_id, c.file_name, c.interchange, s.segment,
    'a diagnosis', CASE WHEN s.diagnosis_pointers = '' THEN 'none' ELSE 'a diagnosis' END
FROM service_lines AS s
INNER JOIN claims AS c ON c.claim_version_id = s.claim_version_id
WHERE c.source = 'x12'
UNION ALL
SELECT
    'sent_code_in_force', s.service_line_id, c.file_name, c.interchange, s.segment,
    'in force that day',
    CASE
        WHEN coalesce(s.service_date, c.service_date) > CAST(p.valid_to AS DATE) THEN 'ended'
        WHEN coalesce(s.service_date, c.service_date) < CAST(p.valid_from AS DATE)
            THEN 'not yet in force'
        ELSE 'in force that day'
    END
FROM service_lines AS s
INNER JOIN claims AS c ON c.claim_version_id = s.claim_version_id
INNER JOIN cpt AS p ON p.procedure_code = s.procedure_code
WHERE coalesce(s.service_date, c.service_date) IS NOT NULL
UNION ALL
SELECT
    'sent_units', s.service_line_id, c.file_name, c.interchange, s.segment, 'some units',
    CASE WHEN s.units > 0 THEN 'some units' WHEN s.units <= 0 THEN 'none' END
FROM service_lines AS s
INNER JOIN claims AS c ON c.claim_version_id = s.claim_version_id
WHERE s.charge_cents <> 0

-- name: reasons_in_force
-- The reason keeps its meaning; an ended code says that the sender's tables are old.
SELECT
    'answered_reason_in_force' AS check_name, a.adjustment_id AS record_id, r.file_name,
    r.interchange, r.segment, 'in force that day' AS expected,
    CASE
        WHEN r.payment_date > CAST(k.valid_to AS DATE) THEN a.reason_code || ' ended'
        ELSE 'in force that day'
    END AS found
FROM adjustments AS a
INNER JOIN remittances AS r ON r.remittance_id = a.remittance_id
INNER JOIN carc AS k ON k.reason_code = a.reason_code
WHERE r.source = 'x12' AND r.payment_date IS NOT NULL

-- name: file_counts
-- A count that is stated but unreadable is a fault and not unknown, so both sides are text.
SELECT
    check_name, file_check_id AS record_id, file_name, interchange, segment,
    coalesce(CAST(n_expected AS VARCHAR), CASE WHEN is_holding THEN 'same' ELSE 'legible' END)
        AS expected,
    CASE
        WHEN is_holding THEN coalesce(CAST(n_expected AS VARCHAR), 'same')
        ELSE coalesce(CAST(n_found AS VARCHAR), 'none')
    END AS found
FROM file_checks

-- name: likenesses
SELECT * FROM answers_alike
UNION ALL
SELECT * FROM answered_lines_alike
UNION ALL
SELECT * FROM versions_in_order
UNION ALL
SELECT * FROM diagnoses_in_force
UNION ALL
SELECT * FROM sent_lines_in_order
UNION ALL
SELECT * FROM reasons_in_force
UNION ALL
SELECT * FROM file_counts

-- name: held
SELECT
    check_name, record_id, file_name, interchange, segment, expected_cents, found_cents,
    CAST(NULL AS VARCHAR) AS expected, CAST(NULL AS VARCHAR) AS found,
    expected_cents = found_cents AS is_holding
FROM sums
UNION ALL
SELECT
    check_name, record_id, file_name, interchange, segment, NULL, NULL, expected, found,
    expected = found
FROM likenesses

-- name: checked
-- Nearly all hold: of those, and of what is unknown, only the number is kept.
SELECT
    check_name,
    is_holding,
    CASE WHEN NOT is_holding THEN record_id END AS record_id,
    CASE WHEN NOT is_holding THEN file_name END AS file_name,
    CASE WHEN NOT is_holding THEN interchange END AS interchange,
    CASE WHEN NOT is_holding THEN segment END AS segment,
    CASE WHEN NOT is_holding THEN expected_cents END AS expected_cents,
    CASE WHEN NOT is_holding THEN found_cents END AS found_cents,
    CASE WHEN NOT is_holding THEN expected END AS expected,
    CASE WHEN NOT is_holding THEN found END AS found,
    count(*) AS n_records
FROM held
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10

-- name: imbalances
SELECT
    check_name,
    record_id,
    file_name,
    interchange,
    segment,
    expected_cents,
    found_cents,
    found_cents - expected_cents AS difference_cents,
    expected,
    found
FROM checked
WHERE NOT is_holding
ORDER BY file_name, interchange, segment, check_name, record_id

-- name: checks
SELECT
    n.check_name,
    coalesce(sum(CASE WHEN c.is_holding IS NOT NULL THEN c.n_records END), 0) AS n_checked,
    coalesce(sum(CASE WHEN c.is_holding THEN c.n_records END), 0) AS n_holding,
    coalesce(sum(CASE WHEN c.is_holding IS NULL THEN c.n_records END), 0) AS n_unknown
FROM check_names AS n
LEFT JOIN checked AS c ON c.check_name = n.check_name
GROUP BY n.check_name, n.place
ORDER BY n.place
