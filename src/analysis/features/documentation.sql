-- What was known of every document on the day of first submission, channel by channel.
-- Inputs: what submissions.sql gathered by claim, authorizations, prescriptions, checklist,
-- requirements, item_attachments, item_notes.

-- name: ruled_items
-- What a rule of the insurer that the practice noted says; without a value a referral is required.
SELECT
    s.claim_key,
    CASE r.rule WHEN 'referral_required' THEN 'D02_prescription' ELSE 'D04_authorization' END
        AS item_id,
    bool_or(
        CASE r.rule
            WHEN 'referral_required' THEN coalesce(r.value, 1) > 0
            ELSE s.visit_number > r.value
        END
    ) AS is_required
FROM submissions AS s
INNER JOIN rules_for_submissions AS r ON r.claim_key = s.claim_key
WHERE
    r.procedure_code = ''
    OR EXISTS (
        SELECT 1 FROM lines_of_submissions AS l
        WHERE l.claim_key = s.claim_key AND l.procedure_code = r.procedure_code
    )
GROUP BY s.claim_key, 2

-- name: required_items
SELECT s.claim_key, r.item_id
FROM submissions AS s
INNER JOIN requirements AS r
    ON
        r.payer_type = s.payer_type
        AND s.visit_number >= r.visit_from
        AND (r.condition_group IS NULL OR r.condition_group = s.condition_group)
LEFT JOIN ruled_items AS u ON u.claim_key = s.claim_key AND u.item_id = r.item_id
WHERE u.claim_key IS NULL
UNION
SELECT claim_key, item_id FROM ruled_items WHERE is_required

-- name: claim_elements
-- What the 837P itself shows, and where. It can show a document, never the lack of one: an
-- authorization may be on file although no REF G1 stands on the claim.
SELECT claim_key, 'D01_license' AS item_id, 'NM1 82' AS element
FROM submissions WHERE rendering_provider_id IS NOT NULL
UNION
SELECT claim_key, 'D02_prescription', 'REF 9F' FROM submissions WHERE referral_number IS NOT NULL
UNION
SELECT claim_key, 'D02_prescription', 'NM1 DN' FROM submissions
WHERE referring_provider_id IS NOT NULL
UNION
SELECT claim_key, 'D03_dates', 'DTP' FROM submissions WHERE first_date IS NOT NULL
UNION
SELECT claim_key, 'D04_authorization', 'REF G1' FROM submissions
WHERE authorization_number IS NOT NULL
UNION
SELECT claim_key, 'D04_authorization', 'REF G1' FROM lines_of_submissions
WHERE authorization_number IS NOT NULL
UNION
SELECT claim_key, 'D06_diagnosis', 'HI' FROM diagnosed_submissions
UNION
SELECT s.claim_key, a.item_id, 'PWK ' || a.code
FROM submissions AS s
INNER JOIN item_attachments AS a ON s.attachment_codes LIKE '%:' || a.code || ':%'
UNION
SELECT s.claim_key, n.item_id, 'NTE ' || n.code
FROM submissions AS s
INNER JOIN item_notes AS n ON s.note_codes LIKE '%:' || n.code || ':%'

-- name: claim_evidence
SELECT DISTINCT claim_key, item_id FROM claim_elements

-- name: attested_answers
-- Put back to the day of submission: a document dated later did not exist yet. The last parts read
-- the practice's lists of authorizations and prescriptions.
SELECT
    a.claim_key,
    a.item_id,
    a.service_date,
    CASE
        WHEN a.status = 'present' AND a.existed_date > s.submitted_date THEN 'absent'
        ELSE a.status
    END AS status,
    a.existed_date
FROM submissions AS s
INNER JOIN noted_answers AS a ON a.claim_key = s.claim_key
UNION ALL
SELECT s.claim_key, 'D04_authorization', s.service_date, 'present', z.decision_date
FROM submissions AS s
INNER JOIN authorizations AS z ON z.patient_id = s.patient_id AND z.payer_id = s.payer_id
WHERE
    lower(z.status) = 'approved'
    AND z.start_date <= s.service_date
    AND z.end_date >= s.service_to_date
    AND z.decision_date <= s.submitted_date
    AND (
        coalesce(z.procedure_codes, '') = ''
        OR EXISTS (
            SELECT 1 FROM lines_of_submissions AS l
            WHERE
                l.claim_key = s.claim_key
                AND ':' || z.procedure_codes || ':' LIKE '%:' || l.procedure_code || ':%'
        )
    )
UNION ALL
SELECT s.claim_key, 'D02_prescription', s.service_date, 'present', p.prescribed_date
FROM submissions AS s
INNER JOIN prescriptions AS p ON p.patient_id = s.patient_id
WHERE
    p.prescribed_date <= s.service_date
    AND (p.expiry_date IS NULL OR p.expiry_date >= s.service_to_date)
    AND (
        coalesce(p.diagnosis_codes, '') = ''
        OR EXISTS (
            SELECT 1
            FROM prescriptions_for_submissions AS f
            WHERE f.prescription_id = p.prescription_id AND f.claim_key = s.claim_key
        )
    )

-- name: attested_visits
-- Several answers for one visit (the records were sent again, with more filled in): a document
-- that is there was found, whatever an earlier answer said.
SELECT
    claim_key,
    item_id,
    service_date,
    CASE
        WHEN max(CASE WHEN status = 'present' THEN 1 ELSE 0 END) = 1 THEN 'present'
        WHEN max(CASE WHEN status = 'absent' THEN 1 ELSE 0 END) = 1 THEN 'absent'
        ELSE 'not_required'
    END AS status,
    min(CASE WHEN status = 'present' THEN existed_date END) AS present_date,
    min(existed_date) AS existed_date
FROM attested_answers
GROUP BY claim_key, item_id, service_date

-- name: attested
-- Several visits on one claim: it is documented when each of them is.
SELECT
    claim_key,
    item_id,
    CASE
        WHEN max(CASE WHEN status = 'absent' THEN 1 ELSE 0 END) = 1 THEN 'absent'
        WHEN max(CASE WHEN status = 'present' THEN 1 ELSE 0 END) = 1 THEN 'present'
        ELSE 'not_required'
    END AS status,
    max(CASE WHEN status = 'present' THEN present_date ELSE existed_date END) AS existed_date
FROM attested_visits
GROUP BY claim_key, item_id

-- name: remarked
SELECT claim_key, item_id, remark_code, min(payment_date) AS said_date
FROM remarks_on_submissions
GROUP BY claim_key, item_id, remark_code

-- name: channel_statuses
SELECT e.claim_key, e.item_id, 'claim' AS channel, 'present' AS status,
    CAST(NULL AS DATE) AS existed_date, s.submitted_date AS said_date
FROM claim_evidence AS e
INNER JOIN submissions AS s ON s.claim_key = e.claim_key
UNION ALL
SELECT r.claim_key, r.item_id, 'claim', 'unknown', CAST(NULL AS DATE), CAST(NULL AS DATE)
FROM required_items AS r
LEFT JOIN claim_evidence AS e ON e.claim_key = r.claim_key AND e.item_id = r.item_id
WHERE e.claim_key IS NULL
UNION ALL
SELECT claim_key, item_id, 'attested', status, existed_date, CAST(NULL AS DATE) FROM attested
UNION ALL
SELECT r.claim_key, r.item_id, 'attested', 'unknown', CAST(NULL AS DATE), CAST(NULL AS DATE)
FROM required_items AS r
LEFT JOIN attested AS a ON a.claim_key = r.claim_key AND a.item_id = r.item_id
WHERE a.claim_key IS NULL
UNION ALL
SELECT claim_key, item_id, 'remittance', 'absent', CAST(NULL AS DATE), min(said_date)
FROM remarked
GROUP BY claim_key, item_id

-- name: known_present
-- The practice marks a document dated after the submission absent, so it contradicts no insurer.
SELECT claim_key, item_id, channel
FROM channel_statuses
WHERE status = 'present' AND channel IN ('attested', 'claim')

-- name: asked_statuses
SELECT c.*, r.claim_key IS NOT NULL AS is_required
FROM channel_statuses AS c
LEFT JOIN required_items AS r ON r.claim_key = c.claim_key AND r.item_id = c.item_id

-- name: documentation
SELECT s.claim_id, c.item_id, c.channel, c.status, c.existed_date, c.said_date, c.is_required
FROM asked_statuses AS c
INNER JOIN submissions AS s ON s.claim_key = c.claim_key
ORDER BY c.claim_key, c.item_id, c.channel

-- name: contradicted
SELECT p.claim_key, p.item_id, p.channel AS present_channel, 'remittance' AS absent_channel,
    r.remark_code AS code
FROM known_present AS p
INNER JOIN remarked AS r ON r.claim_key = p.claim_key AND r.item_id = p.item_id
UNION ALL
SELECT e.claim_key, e.item_id, 'claim', 'attested', e.element
FROM claim_elements AS e
INNER JOIN attested AS a ON a.claim_key = e.claim_key AND a.item_id = e.item_id
WHERE a.status = 'absent'

-- name: documentation_contradictions
SELECT s.claim_id, c.item_id, c.present_channel, c.absent_channel, c.code
FROM contradicted AS c
INNER JOIN submissions AS s ON s.claim_key = c.claim_key
ORDER BY c.claim_key, c.item_id, c.present_channel, c.absent_channel, c.code

-- name: item_channels
-- The remittance channel stays out: it is known only after the decision.
SELECT
    claim_key,
    item_id,
    max(CASE WHEN is_required THEN 1 ELSE 0 END) = 1 AS is_required,
    max(CASE WHEN channel = 'attested' AND status <> 'unknown' THEN status END) AS attested_status,
    max(CASE WHEN channel = 'claim' AND status <> 'unknown' THEN status END) AS claim_status
FROM asked_statuses
WHERE channel IN ('claim', 'attested')
GROUP BY claim_key, item_id

-- name: item_statuses
-- The practice's own word wins; what the claim shows fills in where it wrote nothing down.
SELECT
    s.claim_key,
    s.item_id,
    i.tier,
    CAST(i.weight AS DOUBLE) AS weight,
    s.is_required,
    coalesce(
        s.attested_status,
        s.claim_status,
        CASE WHEN s.is_required THEN 'unknown' ELSE 'not_required' END
    ) AS status
FROM item_channels AS s
INNER JOIN checklist AS i ON i.item_id = s.item_id

-- name: item_sums
-- An item the practice marks as not required counts neither for nor against the claim.
SELECT
    claim_key,
    sum(CASE WHEN is_required AND status = 'present' THEN weight ELSE 0 END) AS present_weight,
    sum(CASE WHEN is_required AND status = 'absent' THEN weight ELSE 0 END) AS absent_weight,
    sum(CASE WHEN is_required AND status = 'unknown' THEN weight ELSE 0 END) AS unknown_weight,
    sum(CASE WHEN is_required AND status = 'absent' THEN 1 ELSE 0 END) AS n_required_absent,
    sum(CASE WHEN is_required AND status = 'unknown' THEN 1 ELSE 0 END) AS n_required_unknown,
    sum(CASE WHEN is_required AND status = 'absent' AND tier = 'gate' THEN 1 ELSE 0 END)
        AS n_gates_failed,
    max(CASE WHEN item_id = 'D02_prescription' THEN status END) AS prescription,
    max(CASE WHEN item_id = 'D04_authorization' THEN status END) AS authorization_status,
    max(CASE WHEN item_id = 'D05_plan_of_care' THEN status END) AS plan_of_care,
    max(CASE WHEN item_id = 'D07_treatment_note' THEN status END) AS treatment_note,
    max(CASE WHEN item_id = 'D08_minutes' THEN status END) AS minutes,
    max(CASE WHEN item_id = 'D09_initial_eval' THEN status END) AS initial_eval,
    max(CASE WHEN item_id = 'D10_progress_report' THEN status END) AS progress_report,
    max(CASE WHEN item_id = 'D12_necessity_rationale' THEN status END) AS necessity_rationale,
    max(CASE WHEN item_id = 'D15_benefit_verification' THEN status END) AS benefit_verification
FROM item_statuses
GROUP BY claim_key

-- name: document_sums
SELECT s.claim_id, i.*
FROM item_sums AS i
INNER JOIN submissions AS s ON s.claim_key = i.claim_key
