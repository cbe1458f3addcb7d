-- Made from actions/next_actions.sql by tools/spark_sql.py; do not edit.

-- name: sendings
SELECT
  l.claim_id,
  MAX(c.submitted_date) AS last_sent_date
FROM claims AS c
INNER JOIN claim_lineage AS l
  ON l.record = 'claim_version' AND l.record_id = c.claim_version_id
WHERE
  COALESCE(c.payer_sequence_code, 'P') = 'P'
GROUP BY
  l.claim_id

-- name: deciding_answers
SELECT
  l.claim_id,
  r.remittance_id,
  r.payment_date,
  r.payer_claim_control_number,
  ROW_NUMBER() OVER (
    PARTITION BY l.claim_id
    ORDER BY CASE WHEN r.payment_date = o.final_determination_date THEN 0 ELSE 1 END NULLS LAST, r.payment_date DESC, r.remittance_id DESC
  ) AS choice
FROM remittances AS r
INNER JOIN claim_lineage AS l
  ON l.record = 'remittance' AND l.record_id = r.remittance_id
INNER JOIN claim_outcomes AS o
  ON o.claim_id = l.claim_id
WHERE
  NOT COALESCE(r.claim_status_code, '') IN ('2', '3', '20', '21', '22', '23', '25')

-- name: standing_answers
SELECT
  a.claim_id,
  a.remittance_id
FROM deciding_answers AS a
INNER JOIN deciding_answers AS s
  ON s.claim_id = a.claim_id AND s.choice = 1
WHERE
  a.remittance_id = s.remittance_id OR a.payment_date = s.payment_date

-- name: standing_remarks
SELECT
  s.claim_id,
  m.remittance_id,
  m.remittance_line_id,
  m.remark_id,
  m.remark_code,
  k.category,
  k.item_id,
  k.next_step
FROM standing_answers AS s
INNER JOIN remarks AS m
  ON m.remittance_id = s.remittance_id
INNER JOIN rarc AS k
  ON k.remark_code = m.remark_code

-- name: guards
SELECT
  claim_id,
  remark_code,
  next_step
FROM (
  SELECT
    claim_id,
    remark_code,
    next_step,
    ROW_NUMBER() OVER (PARTITION BY claim_id ORDER BY next_step DESC, remark_code NULLS LAST) AS choice
  FROM standing_remarks
  WHERE
    next_step LIKE 'NO APPEAL%'
) AS ranked
WHERE
  choice = 1

-- name: telling_remarks
SELECT
  remittance_id,
  remittance_line_id,
  remark_code,
  category,
  item_id
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY remittance_id, remittance_line_id ORDER BY remark_id NULLS LAST) AS choice
  FROM standing_remarks
  WHERE
    NOT category IN (
      'appeal_outcome',
      'contractual',
      'reversal',
      'recoupment',
      'patient_responsibility',
      'other'
    )
) AS ranked
WHERE
  choice = 1

-- name: refusing_codes
SELECT
  s.claim_id,
  a.adjustment_id,
  a.group_code,
  a.reason_code,
  a.amount_cents,
  COALESCE(x.remark_code, y.remark_code) AS remark_code,
  COALESCE(x.item_id, y.item_id) AS item_id,
  COALESCE(x.category, y.category) AS remark_category,
  CASE
    WHEN k.reason_code IS NULL
    THEN 'unmapped'
    WHEN k.needs_remark = 'yes'
    THEN COALESCE(x.category, y.category, k.category)
    ELSE k.category
  END AS category,
  CASE
    WHEN k.needs_remark = 'yes' AND NOT COALESCE(x.category, y.category) IS NULL
    THEN NULL
    ELSE k.first_action
  END AS first_action
FROM standing_answers AS s
INNER JOIN adjustments AS a
  ON a.remittance_id = s.remittance_id
LEFT JOIN carc AS k
  ON k.reason_code = a.reason_code
LEFT JOIN telling_remarks AS x
  ON x.remittance_id = a.remittance_id AND x.remittance_line_id = a.remittance_line_id
LEFT JOIN telling_remarks AS y
  ON y.remittance_id = a.remittance_id AND y.remittance_line_id IS NULL
WHERE
  a.amount_cents > 0
  AND (
    k.reason_code IS NULL
    OR k.is_denial IN ('yes', 'depends')
    OR k.category = 'pending'
  )

-- name: code_actions
SELECT
  c.*,
  COALESCE(f.action, g.action, 'ask_insurer') AS action,
  CAST(d.place AS INT) AS place
FROM refusing_codes AS c
LEFT JOIN steps AS f
  ON f.kind = 'first_action' AND f.code = c.first_action
LEFT JOIN steps AS g
  ON g.kind = 'category' AND g.code = c.category
INNER JOIN actions AS d
  ON d.action = COALESCE(f.action, g.action, 'ask_insurer')

-- name: chosen_codes
SELECT
  *
FROM (
  SELECT
    *,
    SUM(amount_cents) OVER (PARTITION BY claim_id) AS refused_cents,
    ROW_NUMBER() OVER (
      PARTITION BY claim_id
      ORDER BY place NULLS LAST, amount_cents DESC, reason_code NULLS LAST, adjustment_id NULLS LAST
    ) AS choice
  FROM code_actions
) AS ranked
WHERE
  choice = 1

-- name: contract_only
SELECT
  s.claim_id,
  MAX(
    CASE WHEN a.group_code = 'PR' AND a.reason_code IN ('1', '2', '3') THEN 1 ELSE 0 END
  ) AS has_patient_share
FROM standing_answers AS s
INNER JOIN adjustments AS a
  ON a.remittance_id = s.remittance_id
WHERE
  a.amount_cents > 0
  AND NOT s.claim_id IN (
    SELECT
      claim_id
    FROM refusing_codes
  )
GROUP BY
  s.claim_id

-- name: open_appeals
SELECT
  claim_id,
  MAX(filed_date) AS filed_date
FROM appeal_outcomes
WHERE
  NOT claim_id IS NULL AND NOT filed_date IS NULL AND outcome = 'pending'
GROUP BY
  claim_id

-- name: last_decisions
SELECT
  claim_id,
  level,
  outcome,
  decision_date
FROM (
  SELECT
    claim_id,
    LOWER(TRIM(level)) AS level,
    outcome,
    COALESCE(recorded_date, remittance_date) AS decision_date,
    ROW_NUMBER() OVER (PARTITION BY claim_id ORDER BY appeal_number DESC) AS from_last
  FROM appeal_outcomes
  WHERE
    NOT claim_id IS NULL
    AND outcome IN ('overturned', 'partial', 'upheld', 'dismissed')
) AS ranked
WHERE
  from_last = 1

-- name: noted_deadlines
SELECT
  claim_id,
  deadline_date,
  deadline_source
FROM (
  SELECT
    claim_id,
    deadline_date,
    deadline_source,
    ROW_NUMBER() OVER (
      PARTITION BY claim_id
      ORDER BY CASE deadline_source WHEN 'letter' THEN 0 WHEN 'contract' THEN 1 ELSE 2 END NULLS LAST, deadline_date NULLS LAST, appeal_outcome_id NULLS LAST
    ) AS choice
  FROM appeal_outcomes
  WHERE
    NOT claim_id IS NULL AND filed_date IS NULL AND NOT deadline_date IS NULL
) AS ranked
WHERE
  choice = 1

-- name: contract_terms
SELECT
  claim_id,
  rule,
  n_days
FROM (
  SELECT
    o.claim_id,
    p.rule,
    CAST(p.value AS INT) AS n_days,
    ROW_NUMBER() OVER (
      PARTITION BY o.claim_id, p.rule
      ORDER BY CASE WHEN p.plan_id IS NULL THEN 0 ELSE 2 END + CASE WHEN p.state IS NULL THEN 0 ELSE 1 END DESC, p.effective_from DESC, p.policy_id NULLS LAST
    ) AS choice
  FROM claim_outcomes AS o
  INNER JOIN policies AS p
    ON p.payer_id = o.payer_id
    AND (
      p.plan_id IS NULL OR p.plan_id = o.plan_id
    )
    AND (
      p.state IS NULL OR p.state = session.state
    )
    AND p.procedure_code IS NULL
    AND (
      p.effective_from IS NULL OR p.effective_from <= o.service_date
    )
    AND (
      p.effective_to IS NULL OR p.effective_to >= o.service_date
    )
  WHERE
    p.rule IN ('appeal_days', 'correction_days', 'timely_filing_days')
    AND NOT p.value IS NULL
) AS ranked
WHERE
  choice = 1

-- name: default_terms
SELECT
  o.claim_id,
  COALESCE(
    CAST(t.first_appeal_days AS INT),
    (
      SELECT
        MIN(CAST(first_appeal_days AS INT))
      FROM payer_types
    )
  ) AS appeal_days,
  COALESCE(
    CAST(t.timely_filing_days AS INT),
    (
      SELECT
        MIN(CAST(timely_filing_days AS INT))
      FROM payer_types
    )
  ) AS filing_days
FROM claim_outcomes AS o
LEFT JOIN payer_types AS t
  ON t.payer_type = o.payer_type

-- name: facts
SELECT
  o.claim_id,
  o.final_determination,
  o.charge_cents,
  o.service_date,
  o.as_of_date,
  o.maturity_days,
  COALESCE(s.last_sent_date, o.service_date) AS last_sent_date,
  a.payment_date AS answer_date,
  a.payer_claim_control_number,
  c.group_code,
  c.reason_code,
  c.refused_cents,
  c.action AS code_action,
  c.remark_category,
  c.place < (
    SELECT
      CAST(place AS INT)
    FROM actions
    WHERE
      action = 'correct'
  ) AS is_before_correction,
  COALESCE(NULLIF(c.category, 'appeal_outcome'), o.final_denial_category, c.category) AS category,
  COALESCE(g.remark_code, c.remark_code) AS remark_code,
  c.item_id,
  g.next_step AS guard,
  k.has_patient_share,
  p.filed_date AS appeal_filed_date,
  d.outcome AS decision,
  d.level AS decision_level,
  d.decision_date,
  n.deadline_date AS noted_deadline_date,
  COALESCE(n.deadline_source, 'default') AS noted_deadline_source,
  DATEDIFF(DAY, COALESCE(s.last_sent_date, o.service_date), o.as_of_date) > COALESCE(o.maturity_days, 90) AS is_overdue,
  s.last_sent_date > o.final_determination_date AS is_sent_again
FROM claim_outcomes AS o
LEFT JOIN sendings AS s
  ON s.claim_id = o.claim_id
LEFT JOIN deciding_answers AS a
  ON a.claim_id = o.claim_id AND a.choice = 1
LEFT JOIN chosen_codes AS c
  ON c.claim_id = o.claim_id
LEFT JOIN guards AS g
  ON g.claim_id = o.claim_id
LEFT JOIN contract_only AS k
  ON k.claim_id = o.claim_id
LEFT JOIN open_appeals AS p
  ON p.claim_id = o.claim_id
LEFT JOIN last_decisions AS d
  ON d.claim_id = o.claim_id
LEFT JOIN noted_deadlines AS n
  ON n.claim_id = o.claim_id

-- name: judged
SELECT
  *,
  CASE
    WHEN final_determination IN ('approved', 'voided')
    THEN final_determination
    WHEN final_determination = 'rejected'
    THEN 'rejected'
    WHEN final_determination = 'pending'
    AND NOT is_overdue
    AND remark_category = 'documentation'
    THEN 'records_requested'
    WHEN final_determination = 'pending' AND is_overdue
    THEN 'no_answer'
    WHEN final_determination = 'pending'
    THEN 'usual_time'
    WHEN NOT appeal_filed_date IS NULL
    THEN 'appeal_filed'
    WHEN is_sent_again AND NOT is_overdue
    THEN 'correction_sent'
    WHEN is_sent_again
    THEN 'no_answer'
    WHEN decision IN ('overturned', 'partial')
    AND final_determination = 'denied'
    AND decision_date >= answer_date
    THEN 'appeal_won_unpaid'
    WHEN NOT guard IS NULL
    THEN 'no_appeal_right'
    WHEN code_action IS NULL AND has_patient_share = 1
    THEN 'patient_share'
    WHEN code_action IS NULL AND has_patient_share = 0
    THEN 'contract_only'
    WHEN code_action IN ('post', 'write_off')
    THEN 'nothing_to_gain'
    WHEN decision IN ('upheld', 'dismissed')
    AND code_action IN (
      'appeal',
      'next_appeal',
      'send_records',
      'check_contract',
      'check_plan',
      'ask_insurer'
    )
    THEN CASE
      WHEN decision_level IN ('3', '4', '5', 'external')
      THEN 'appeals_used_up'
      ELSE 'appeal_lost'
    END
    WHEN code_action IS NULL
    THEN 'no_reason'
    ELSE 'reason_code'
  END AS why
FROM facts

-- name: decided
SELECT
  j.*,
  CASE
    WHEN why IN ('usual_time', 'appeal_filed', 'correction_sent')
    THEN 'waiting'
    WHEN why IN (
      'approved',
      'voided',
      'patient_share',
      'contract_only',
      'nothing_to_gain',
      'appeals_used_up'
    )
    THEN 'settled'
    ELSE 'to_do'
  END AS state,
  CASE
    WHEN why = 'rejected'
    THEN 'new_claim'
    WHEN why = 'no_appeal_right' AND guard LIKE '%new claim'
    THEN 'new_claim'
    WHEN why = 'no_appeal_right' AND is_before_correction
    THEN code_action
    WHEN why = 'no_appeal_right'
    THEN 'correct'
    WHEN why = 'records_requested'
    THEN 'send_records'
    WHEN why IN ('no_answer', 'no_reason', 'appeal_won_unpaid')
    THEN 'ask_insurer'
    WHEN why = 'appeal_lost'
    THEN 'next_appeal'
    WHEN why = 'patient_share'
    THEN 'bill_patient'
    WHEN why = 'contract_only'
    THEN 'post'
    WHEN why IN ('nothing_to_gain', 'reason_code')
    THEN code_action
  END AS action
FROM judged AS j

-- name: clocks
SELECT
  d.claim_id,
  d.noted_deadline_date AS letter_date,
  d.noted_deadline_source AS letter_source,
  COALESCE(d.decision_date, d.answer_date) + r.n_days AS contract_date,
  COALESCE(d.decision_date, d.answer_date) + t.appeal_days AS default_date
FROM decided AS d
INNER JOIN actions AS k
  ON k.action = d.action AND k.deadline = 'appeal'
INNER JOIN default_terms AS t
  ON t.claim_id = d.claim_id
LEFT JOIN contract_terms AS r
  ON r.claim_id = d.claim_id AND r.rule = 'appeal_days'
WHERE
  d.state = 'to_do'
UNION ALL
SELECT
  d.claim_id,
  NULL,
  NULL,
  CASE
    WHEN k.deadline = 'correction' AND NOT c.n_days IS NULL
    THEN d.answer_date + c.n_days
    ELSE d.service_date + f.n_days
  END,
  d.service_date + t.filing_days
FROM decided AS d
INNER JOIN actions AS k
  ON k.action = d.action AND k.deadline IN ('filing', 'correction')
INNER JOIN default_terms AS t
  ON t.claim_id = d.claim_id
LEFT JOIN contract_terms AS c
  ON c.claim_id = d.claim_id AND c.rule = 'correction_days'
LEFT JOIN contract_terms AS f
  ON f.claim_id = d.claim_id AND f.rule = 'timely_filing_days'
WHERE
  d.state = 'to_do'

-- name: deadlines
SELECT
  c.claim_id,
  COALESCE(c.letter_date, c.contract_date, c.default_date) AS deadline_date,
  CASE
    WHEN NOT c.letter_date IS NULL
    THEN c.letter_source
    WHEN NOT c.contract_date IS NULL
    THEN 'contract'
    WHEN NOT c.default_date IS NULL
    THEN 'default'
  END AS deadline_source
FROM clocks AS c
INNER JOIN decided AS d
  ON d.claim_id = c.claim_id
WHERE
  d.why <> 'no_answer'
  OR COALESCE(c.letter_date, c.contract_date, c.default_date) >= d.as_of_date

-- name: next_actions
SELECT
  d.claim_id,
  d.state,
  d.why,
  d.action,
  CASE WHEN d.state <> 'settled' THEN d.category END AS category,
  CASE WHEN d.state <> 'settled' THEN d.group_code END AS group_code,
  CASE WHEN d.state <> 'settled' THEN d.reason_code END AS reason_code,
  CASE WHEN d.state <> 'settled' THEN d.remark_code END AS remark_code,
  CASE WHEN d.state <> 'settled' THEN d.item_id END AS item_id,
  d.answer_date,
  d.payer_claim_control_number,
  CASE
    WHEN d.final_determination IN ('approved', 'voided')
    THEN 0
    WHEN d.final_determination = 'partially_approved'
    THEN LEAST(d.charge_cents, COALESCE(d.refused_cents, 0))
    ELSE d.charge_cents
  END AS refused_charge_cents,
  t.deadline_date,
  t.deadline_source
FROM decided AS d
LEFT JOIN deadlines AS t
  ON t.claim_id = d.claim_id
ORDER BY
  d.claim_id NULLS LAST
