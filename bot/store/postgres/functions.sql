-- The hot path: one call, one round trip, one transaction each. Installed under names that end in a digest of this
-- text (in place of every @), so that two versions of Frontdesk on one database each call their own.
--
-- Every function locks the lane first and whatever else after it, so two of them never wait for each other in a ring.
-- READ COMMITTED gives each statement in here its own snapshot; what is read behind a lock is therefore current, but
-- what the locking statement itself reads beside the locked row is not. `p_now` is null for the database's own clock.

CREATE OR REPLACE FUNCTION fd_take@(
  p_conversation text, p_tenant text, p_channel text, p_account text, p_chat text, p_thread text,
  p_person text, p_event_channel text, p_event_id text, p_words bigint, p_payload bytea,
  p_name text, p_language text, p_phone text, p_email text, p_verified bigint, p_timezone text,
  p_worker text, p_lease double precision, p_now double precision)
RETURNS TABLE (
  o_conversation text, o_seq bigint, o_duplicate boolean, o_taken boolean, o_n bigint, o_epoch bigint, o_rev bigint,
  o_owner text, o_owner_version bigint, o_case_id text, o_silence text,
  o_person text, o_name text, o_language text, o_phone text, o_email text, o_verified bigint, o_timezone text,
  o_state bytea)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
  v_now double precision := coalesce(p_now, extract(epoch FROM clock_timestamp())::double precision);
  v_takes bigint := CASE p_worker WHEN '' THEN 0 ELSE 1 END;
  v_lane lanes%ROWTYPE;
  v_who people%ROWTYPE;
BEGIN
  SELECT conversation, seq INTO o_conversation, o_seq FROM inbox
    WHERE event_id = p_event_id AND account = p_account AND channel = p_event_channel AND tenant = p_tenant;
  IF FOUND THEN
    o_duplicate := true;
    o_taken := false;
    RETURN NEXT;
    RETURN;
  END IF;

  LOOP
    UPDATE lanes SET
      tail = tail + 1,
      seq = seq + 1,
      turn_seq = CASE turn_seq WHEN 0 THEN seq + 1 ELSE turn_seq END,
      ready_at = CASE turn_seq WHEN 0 THEN v_now + p_lease ELSE ready_at END,
      epoch = CASE turn_seq WHEN 0 THEN epoch + v_takes ELSE epoch END,
      attempts = CASE turn_seq WHEN 0 THEN attempts + v_takes ELSE attempts END,
      worker = CASE turn_seq WHEN 0 THEN p_worker ELSE worker END
      WHERE conversation = p_conversation RETURNING * INTO v_lane;
    EXIT WHEN FOUND;
    INSERT INTO lanes (conversation, tenant, channel, account, chat, thread, person, tail, seq, turn_seq,
                       epoch, attempts, worker, ready_at, created_at)
      VALUES (p_conversation, p_tenant, p_channel, p_account, p_chat, p_thread, p_person, 1, 1, 1,
              v_takes, v_takes, p_worker, v_now + p_lease, v_now)
      ON CONFLICT (conversation) DO NOTHING RETURNING * INTO v_lane;
    EXIT WHEN FOUND;
  END LOOP;

  INSERT INTO inbox (conversation, seq, n, tenant, channel, account, event_id, person, words, payload, at)
    VALUES (p_conversation, v_lane.seq, v_lane.tail, p_tenant, p_event_channel, p_account, p_event_id,
            CASE p_person WHEN '' THEN v_lane.person ELSE p_person END, p_words, p_payload, v_now)
    ON CONFLICT (event_id, account, channel, tenant) DO NOTHING;
  IF NOT FOUND THEN
    -- Another process stored it a moment ago. This takes the lane's new number back; asked again, we find it.
    RAISE EXCEPTION 'the same event came twice at once' USING ERRCODE = 'FD001';
  END IF;

  SELECT * INTO v_who FROM people WHERE id = CASE p_person WHEN '' THEN v_lane.person ELSE p_person END;
  -- Looked at first: an upsert that changes nothing still locks the row, and so writes it. Phone and e-mail that a
  -- platform vouched for are never replaced by ones that nobody vouches for, and do not mix with them.
  IF p_person <> '' AND (
      v_who.id IS NULL
      OR (p_name <> '' AND v_who.name <> p_name)
      OR (p_language <> '' AND v_who.language <> p_language)
      OR (p_timezone <> '' AND v_who.timezone <> p_timezone)
      OR (v_who.verified <= p_verified AND (
        (p_phone <> '' AND v_who.phone <> p_phone) OR (p_email <> '' AND v_who.email <> p_email)
        OR v_who.verified < p_verified)))
  THEN
    INSERT INTO people AS p (id, tenant, name, language, phone, email, verified, timezone)
      VALUES (p_person, p_tenant, p_name, p_language, p_phone, p_email, p_verified, p_timezone)
      ON CONFLICT (id) DO UPDATE SET
        name = CASE p_name WHEN '' THEN p.name ELSE p_name END,
        language = CASE p_language WHEN '' THEN p.language ELSE p_language END,
        timezone = CASE p_timezone WHEN '' THEN p.timezone ELSE p_timezone END,
        phone = CASE WHEN p.verified > p_verified OR (p_phone = '' AND p.verified = p_verified)
                THEN p.phone ELSE p_phone END,
        email = CASE WHEN p.verified > p_verified OR (p_email = '' AND p.verified = p_verified)
                THEN p.email ELSE p_email END,
        verified = greatest(p.verified, p_verified)
      RETURNING p.* INTO v_who;
  END IF;

  o_conversation := p_conversation;
  o_seq := v_lane.seq;
  o_duplicate := false;
  o_taken := v_takes = 1 AND v_lane.turn_seq = v_lane.seq;
  IF o_taken THEN
    o_n := v_lane.tail;
    o_epoch := v_lane.epoch;
    o_rev := v_lane.rev;
    o_owner := v_lane.owner;
    o_owner_version := v_lane.owner_version;
    o_case_id := v_lane.case_id;
    o_silence := v_lane.silence;
    o_person := CASE p_person WHEN '' THEN v_lane.person ELSE p_person END;
    o_name := v_who.name;
    o_language := v_who.language;
    o_phone := v_who.phone;
    o_email := v_who.email;
    o_verified := v_who.verified;
    o_timezone := v_who.timezone;
    IF v_lane.rev > 0 THEN
      SELECT state INTO o_state FROM states WHERE conversation = p_conversation;
    END IF;
  END IF;
  RETURN NEXT;
END $body$;

CREATE OR REPLACE FUNCTION fd_claim@(
  p_worker text, p_limit bigint, p_lease double precision, p_now double precision)
RETURNS TABLE (
  o_conversation text, o_tenant text, o_channel text, o_account text, o_chat text, o_thread text,
  o_owner text, o_owner_version bigint, o_case_id text, o_silence text,
  o_epoch bigint, o_head bigint, o_rev bigint, o_attempts bigint, o_turn_seq bigint, o_payload bytea,
  o_person text, o_name text, o_language text, o_phone text, o_email text, o_verified bigint, o_timezone text,
  o_state bytea)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
  v_now double precision := coalesce(p_now, extract(epoch FROM clock_timestamp())::double precision);
  v_candidates text[];
  v_taken text[];
BEGIN
  -- Tenants with a turn that waits, found by jumping from one to the next in the index lanes_ready; then the oldest
  -- turns of each. More than asked for, because others may be faster with the first ones.
  WITH RECURSIVE tenants (tenant) AS (
    SELECT min(tenant) FROM lanes WHERE turn_seq > 0
    UNION ALL
    SELECT (SELECT min(tenant) FROM lanes WHERE turn_seq > 0 AND tenant > found.tenant)
      FROM tenants found WHERE found.tenant IS NOT NULL),
  waiting AS (
    SELECT ready.conversation, row_number() OVER (PARTITION BY tenants.tenant ORDER BY ready.ready_at) AS place
      FROM tenants CROSS JOIN LATERAL (
        SELECT conversation, ready_at FROM lanes
          WHERE tenant = tenants.tenant AND turn_seq > 0 AND ready_at <= v_now
          ORDER BY ready_at LIMIT 2 * p_limit + 8) ready
      WHERE tenants.tenant IS NOT NULL),
  chosen AS (
    SELECT conversation, place, random() AS dice FROM waiting ORDER BY place, dice LIMIT 2 * p_limit + 8)
  SELECT array_agg(conversation ORDER BY place, dice) INTO v_candidates FROM chosen;
  IF v_candidates IS NULL THEN
    RETURN;
  END IF;

  WITH free AS (
    SELECT l.conversation, c.place
      FROM unnest(v_candidates) WITH ORDINALITY c (conversation, place) JOIN lanes l ON l.conversation = c.conversation
      WHERE l.turn_seq > 0 AND l.ready_at <= v_now
      ORDER BY c.place LIMIT p_limit FOR UPDATE OF l SKIP LOCKED),
  taken AS (
    UPDATE lanes l SET epoch = l.epoch + 1, attempts = l.attempts + 1, worker = p_worker, ready_at = v_now + p_lease
      FROM free WHERE l.conversation = free.conversation RETURNING l.conversation, free.place)
  SELECT array_agg(conversation ORDER BY place) INTO v_taken FROM taken;

  -- A statement of its own: a message that came after the first one's snapshot must be seen here.
  RETURN QUERY
    SELECT l.conversation, l.tenant, l.channel, l.account, l.chat, l.thread, l.owner, l.owner_version, l.case_id,
           l.silence, l.epoch, l.head, l.rev, l.attempts, l.turn_seq, i.payload,
           i.person, p.name, p.language, p.phone, p.email, p.verified, p.timezone, s.state
      FROM unnest(v_taken) WITH ORDINALITY c (conversation, place)
      JOIN lanes l ON l.conversation = c.conversation
      JOIN inbox i ON i.conversation = l.conversation AND i.seq = l.turn_seq
      LEFT JOIN people p ON p.id = i.person
      LEFT JOIN states s ON s.conversation = l.conversation
      ORDER BY c.place;
END $body$;

-- Rows for the outbox, the first of them with the number `p_seq`; those with a new key are named in `o_seqs`. With
-- `p_sends`, the first reply is marked as being sent (`o_begun`) if nothing unsent of its line stands before it.
CREATE OR REPLACE FUNCTION fd_add@(
  p_conversation text, p_turn bigint, p_seq bigint, p_human boolean,
  p_keys text[], p_targets text[], p_bodies bytea[], p_sources text[], p_authors text[], p_once boolean[],
  p_always boolean[], p_edits text[], p_now double precision, p_hold double precision, p_sends double precision,
  OUT o_seqs bigint[], OUT o_begun bigint)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
  v_open boolean := p_sends > 0;
  v_begins boolean;
BEGIN
  o_seqs := '{}';
  o_begun := 0;
  IF v_open THEN
    v_open := NOT EXISTS (SELECT FROM outbox WHERE conversation = p_conversation AND target = 'channel'
                          AND status IN ('pending', 'sending'));
  END IF;
  FOR i IN 1 .. cardinality(p_keys) LOOP
    -- Not one that must not be sent twice: should we die before the call, nobody could say that it was not made.
    v_begins := v_open AND p_targets[i] = 'channel' AND NOT p_once[i] AND NOT (p_human AND p_sources[i] = 'bot');
    INSERT INTO outbox (conversation, seq, turn, target, key, body, source, author, always, edits, at,
                        status, attempts, not_before, first_attempt_at, last_attempt_at, held_until)
      VALUES (p_conversation, p_seq + i - 1, p_turn, p_targets[i], p_keys[i], p_bodies[i], p_sources[i], p_authors[i],
              CASE WHEN p_always[i] THEN 1 ELSE 0 END, p_edits[i], p_now,
              CASE WHEN v_begins THEN 'sending' ELSE 'pending' END,
              CASE WHEN v_begins THEN 1 ELSE 0 END,
              CASE WHEN v_begins THEN p_now + p_sends ELSE 0 END,
              CASE WHEN v_begins THEN p_now ELSE 0 END,
              CASE WHEN v_begins THEN p_now ELSE 0 END,
              CASE WHEN v_begins THEN 0 ELSE p_now + p_hold END)
      ON CONFLICT (conversation, key) DO NOTHING;
    IF FOUND THEN
      o_seqs := o_seqs || (p_seq + i - 1);
      IF v_begins THEN
        o_begun := p_seq + i - 1;
      END IF;
      v_open := v_open AND p_targets[i] <> 'channel';
    END IF;
  END LOOP;
END $body$;

-- No row means that the change no longer fits, and that nothing was written.
CREATE OR REPLACE FUNCTION fd_commit@(
  p_conversation text, p_epoch bigint, p_n bigint, p_rev bigint, p_owner_version bigint, p_now double precision,
  p_done boolean, p_keep boolean, p_lease double precision, p_sends double precision, p_state bytea,
  p_keys text[], p_targets text[], p_bodies bytea[], p_sources text[], p_authors text[], p_once boolean[],
  p_always boolean[], p_edits text[],
  p_cleared text[], p_timer_keys text[], p_timer_ats double precision[], p_timer_dues bytea[],
  p_fact_persons text[], p_fact_keys text[], p_fact_values bytea[],
  p_owner text, p_case_id text, p_case text[], p_opened_at double precision, p_closed_at double precision,
  p_trace bytea, p_parked text, p_silence text, p_word text)
RETURNS TABLE (
  o_now double precision, o_first bigint, o_seqs bigint[], o_begun bigint,
  o_conversation text, o_tenant text, o_channel text, o_account text, o_chat text, o_thread text,
  o_owner text, o_owner_version bigint, o_case_id text, o_silence text,
  o_epoch bigint, o_head bigint, o_rev bigint, o_attempts bigint, o_turn_seq bigint, o_payload bytea,
  o_person text, o_name text, o_language text, o_phone text, o_email text, o_verified bigint, o_timezone text,
  o_state bytea)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
  v_now double precision := coalesce(p_now, extract(epoch FROM clock_timestamp())::double precision);
  v_count bigint := cardinality(p_keys);
  v_lane lanes%ROWTYPE;
  v_next bigint;
BEGIN
  -- The WHERE clause is the fence. A repeated key uses up a number without a row: `seq` may have gaps.
  UPDATE lanes SET
    rev = rev + 1,
    seq = seq + v_count,
    head = CASE WHEN p_done THEN p_n ELSE head END,
    turn_seq = CASE WHEN p_done AND tail = p_n THEN 0 ELSE turn_seq END,
    ready_at = CASE WHEN p_done AND NOT (p_keep AND tail > p_n) THEN v_now ELSE v_now + p_lease END,
    attempts = CASE WHEN NOT p_done THEN attempts WHEN p_keep AND tail > p_n THEN 1 ELSE 0 END,
    worker = CASE WHEN p_done AND NOT (p_keep AND tail > p_n) THEN '' ELSE worker END,
    owner = coalesce(p_owner, owner),
    owner_version = CASE WHEN p_owner IS NULL THEN owner_version ELSE owner_version + 1 END,
    case_id = coalesce(p_case_id, case_id),
    silence = coalesce(p_silence, silence)
    WHERE conversation = p_conversation AND epoch = p_epoch AND head = p_n - 1 AND rev = p_rev
      AND owner_version = p_owner_version
    RETURNING * INTO v_lane;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF p_done AND v_lane.tail > p_n THEN
    -- Not inside the UPDATE: had it waited for a put, it would not see the message that this put brought.
    SELECT min(seq) INTO v_next FROM inbox WHERE conversation = p_conversation AND seq > v_lane.turn_seq;
    UPDATE lanes SET turn_seq = v_next WHERE conversation = p_conversation;
  END IF;

  o_now := v_now;
  o_first := v_lane.seq - v_count + 1;
  o_begun := 0;
  o_seqs := '{}';
  IF v_count > 0 THEN
    SELECT a.o_seqs, a.o_begun INTO o_seqs, o_begun FROM fd_add@(
      p_conversation, p_n, o_first, v_lane.owner = 'human',
      p_keys, p_targets, p_bodies, p_sources, p_authors, p_once, p_always, p_edits, v_now, p_lease,
      CASE v_lane.silence WHEN '' THEN p_sends ELSE 0 END) a;
  END IF;
  IF p_state IS NOT NULL THEN
    INSERT INTO states (conversation, state) VALUES (p_conversation, p_state)
      ON CONFLICT (conversation) DO UPDATE SET state = excluded.state;
  END IF;
  -- Cleared before set: a change may replace a question's deadline by the next one's.
  IF cardinality(p_cleared) > 0 THEN
    DELETE FROM timers WHERE conversation = p_conversation AND key = ANY (p_cleared);
  END IF;
  FOR i IN 1 .. cardinality(p_timer_keys) LOOP
    INSERT INTO timers (conversation, key, at, due)
      VALUES (p_conversation, p_timer_keys[i], p_timer_ats[i], p_timer_dues[i])
      ON CONFLICT (conversation, key) DO UPDATE SET at = excluded.at, due = excluded.due;
  END LOOP;
  FOR i IN 1 .. cardinality(p_fact_keys) LOOP
    IF p_fact_values[i] IS NULL THEN
      DELETE FROM facts WHERE person = p_fact_persons[i] AND key = p_fact_keys[i];
    ELSE
      INSERT INTO facts (person, key, value) VALUES (p_fact_persons[i], p_fact_keys[i], p_fact_values[i])
        ON CONFLICT (person, key) DO UPDATE SET value = excluded.value;
    END IF;
  END LOOP;
  IF p_case IS NOT NULL THEN
    PERFORM fd_case@(p_case, p_opened_at, p_closed_at);
  END IF;
  IF p_silence IS NOT NULL THEN
    PERFORM fd_consent@(p_conversation, v_now, p_silence, p_word);
  END IF;
  IF p_trace IS NOT NULL THEN
    INSERT INTO traces (conversation, n, trace) VALUES (p_conversation, p_n, p_trace)
      ON CONFLICT (conversation, n) DO UPDATE SET trace = excluded.trace;
  END IF;
  IF p_parked <> '' THEN
    INSERT INTO dead_letters (conversation, n, seq, at, error)
      SELECT p_conversation, p_n, seq, v_now, p_parked FROM inbox
        WHERE conversation = p_conversation AND seq >= p_n AND n = p_n;
  END IF;

  IF v_next IS NOT NULL AND p_keep THEN
    RETURN QUERY
      SELECT o_now, o_first, o_seqs, o_begun,
             l.conversation, l.tenant, l.channel, l.account, l.chat, l.thread, l.owner, l.owner_version, l.case_id,
             l.silence, l.epoch, l.head, l.rev, l.attempts, l.turn_seq, i.payload,
             i.person, p.name, p.language, p.phone, p.email, p.verified, p.timezone, s.state
        FROM lanes l
        JOIN inbox i ON i.conversation = l.conversation AND i.seq = l.turn_seq
        LEFT JOIN people p ON p.id = i.person
        LEFT JOIN states s ON s.conversation = l.conversation
        WHERE l.conversation = p_conversation;
  ELSE
    o_channel := v_lane.channel;
    o_account := v_lane.account;
    o_chat := v_lane.chat;
    o_thread := v_lane.thread;
    RETURN NEXT;
  END IF;
END $body$;

CREATE OR REPLACE FUNCTION fd_case@(p_case text[], p_opened_at double precision, p_closed_at double precision)
RETURNS void LANGUAGE sql AS $body$
  INSERT INTO cases (id, conversation, desk, queue, reason, ref, agent, state, cursor, opened_at, closed_at)
    VALUES (p_case[1], p_case[2], p_case[3], p_case[4], p_case[5], p_case[6], p_case[7], p_case[8], p_case[9],
            p_opened_at, p_closed_at)
    ON CONFLICT (id) DO UPDATE SET conversation = excluded.conversation, desk = excluded.desk, queue = excluded.queue,
      reason = excluded.reason, ref = excluded.ref, agent = excluded.agent, state = excluded.state,
      cursor = excluded.cursor, opened_at = excluded.opened_at, closed_at = excluded.closed_at
$body$;

-- What somebody said about hearing from us, for the ledger.
CREATE OR REPLACE FUNCTION fd_consent@(p_conversation text, p_at double precision, p_silence text, p_word text)
RETURNS void LANGUAGE sql AS $body$
  INSERT INTO consents (conversation, n, at, silence, word)
    SELECT p_conversation, coalesce(max(n), 0) + 1, p_at, p_silence, p_word FROM consents
      WHERE conversation = p_conversation
$body$;

-- A timer that is due becomes a message of its lane; false if another process has seen to it, or is in the lane.
CREATE OR REPLACE FUNCTION fd_fire@(
  p_conversation text, p_key text, p_at double precision, p_tenant text, p_account text, p_event_id text,
  p_payload bytea, p_now double precision)
RETURNS boolean LANGUAGE plpgsql AS $body$
#variable_conflict use_column
BEGIN
  PERFORM FROM lanes WHERE conversation = p_conversation FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM timers WHERE conversation = p_conversation AND key = p_key AND at = p_at;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM FROM fd_take@(p_conversation, p_tenant, '', p_account, '', '', '', '', p_event_id, 0, p_payload,
                        '', '', '', '', 0, '', '', 0, p_now);
  RETURN true;
END $body$;

CREATE OR REPLACE FUNCTION fd_pick_up@(p_limit bigint, p_hold double precision, p_now double precision)
RETURNS TABLE (
  o_conversation text, o_seq bigint, o_turn bigint, o_target text, o_key text, o_body bytea, o_source text,
  o_author text, o_status text, o_attempts bigint, o_not_before double precision, o_first_attempt_at double precision,
  o_last_attempt_at double precision, o_platform_id text, o_error text, o_always bigint, o_edits text,
  o_channel text, o_account text, o_chat text, o_thread text)
LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
  v_now double precision := coalesce(p_now, extract(epoch FROM clock_timestamp())::double precision);
BEGIN
  RETURN QUERY
    WITH due AS (
      SELECT o.conversation, o.seq FROM outbox o
        WHERE o.status IN ('pending', 'sending') AND o.not_before <= v_now AND o.held_until <= v_now
          AND NOT EXISTS (SELECT FROM outbox e WHERE e.conversation = o.conversation AND e.target = o.target
                          AND e.seq < o.seq AND e.status IN ('pending', 'sending'))
        ORDER BY o.not_before LIMIT p_limit FOR UPDATE OF o SKIP LOCKED),
    held AS (
      UPDATE outbox o SET held_until = v_now + p_hold FROM due
        WHERE o.conversation = due.conversation AND o.seq = due.seq RETURNING o.*)
    SELECT h.conversation, h.seq, h.turn, h.target, h.key, h.body, h.source, h.author, h.status, h.attempts,
           h.not_before, h.first_attempt_at, h.last_attempt_at, h.platform_id, h.error, h.always, h.edits,
           l.channel, l.account, l.chat, l.thread
      FROM held h JOIN lanes l ON l.conversation = h.conversation
      ORDER BY h.not_before, h.conversation, h.seq;
END $body$;

-- What became of the wish to send a row; null when there is no such row.
CREATE OR REPLACE FUNCTION fd_mark_sending@(
  p_conversation text, p_seq bigint, p_attempts bigint, p_wait double precision, p_now double precision)
RETURNS text LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
  v_now double precision := coalesce(p_now, extract(epoch FROM clock_timestamp())::double precision);
  v_row outbox%ROWTYPE;
  v_mute boolean;
  v_first boolean;
BEGIN
  SELECT * INTO v_row FROM outbox WHERE conversation = p_conversation AND seq = p_seq FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF v_row.status NOT IN ('pending', 'sending') THEN
    RETURN v_row.status;
  END IF;
  -- Rows of a line are numbered behind the lane's lock, so none can still appear in front of this one.
  v_first := NOT EXISTS (SELECT FROM outbox WHERE conversation = p_conversation AND target = v_row.target
                         AND seq < p_seq AND status IN ('pending', 'sending'));
  IF NOT v_first THEN
    RETURN 'waits';
  END IF;
  IF v_row.attempts <> p_attempts THEN
    RETURN 'taken';
  END IF;
  -- Two voices never speak: a row of the bot's own is not begun once a human has taken over. And nobody speaks to
  -- somebody who wants to hear nothing.
  v_mute := v_row.target = 'channel' AND EXISTS (
    SELECT FROM lanes WHERE conversation = p_conversation
      AND (owner = 'human' AND v_row.source = 'bot' OR silence <> '' AND v_row.always = 0));
  IF v_mute THEN
    UPDATE outbox SET status = 'suppressed' WHERE conversation = p_conversation AND seq = p_seq;
    RETURN 'suppressed';
  END IF;
  UPDATE outbox SET status = 'sending', attempts = attempts + 1, last_attempt_at = v_now, not_before = v_now + p_wait,
    held_until = 0, first_attempt_at = CASE first_attempt_at WHEN 0 THEN v_now ELSE first_attempt_at END
    WHERE conversation = p_conversation AND seq = p_seq;
  RETURN 'sending';
END $body$;

CREATE OR REPLACE FUNCTION fd_mark_sent@(
  p_conversation text, p_seq bigint, p_platform_id text, p_now double precision)
RETURNS void LANGUAGE sql AS $body$
  UPDATE outbox SET status = 'sent', platform_id = p_platform_id, error = '',
    sent_at = coalesce(p_now, extract(epoch FROM clock_timestamp())::double precision)
    WHERE conversation = p_conversation AND seq = p_seq AND status IN ('pending', 'sending')
$body$;
