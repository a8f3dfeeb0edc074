"""What the program itself can no longer do to invoices: add to an issued one, issue half of one, take a number back."""

from alembic import op

revision = "0011_invoices_closed"
down_revision = "0010_feedback"

# Recording usage costs no more for it: of a call on no invoice nothing is asked but the condition.
_NEVER_INSERTED = """
create function omni_refuse_billed_usage() returns trigger language plpgsql as $$
begin
    raise exception 'usage is recorded first and then put on an invoice' using errcode = 'restrict_violation';
end $$;

create trigger usage_event_recorded_unbilled before insert on usage_event
    for each row when (new.invoice_id is not null) execute function omni_refuse_billed_usage()
"""

# Once a statement, not once a call: a close claims a month's calls in one. The lock is the one under which invoices are
# issued, so that none is issued between the look and the commit.
_NEVER_ADDED = """
create function omni_refuse_claim_of_finalized() returns trigger language plpgsql as $$
declare
    one record;
begin
    for one in select distinct c.tenant_id, c.invoice_id from claimed c where c.invoice_id is not null loop
        perform from invoice_register r where r.tenant_id = one.tenant_id for no key update;
        if exists (select from invoice i
                    where i.tenant_id = one.tenant_id and i.id = one.invoice_id and i.status = 'finalized') then
            raise exception 'the usage on a finalized invoice never changes' using errcode = 'restrict_violation';
        end if;
    end loop;
    return null;
end $$;

create trigger usage_event_not_on_finalized after update on usage_event
    referencing new table as claimed for each statement execute function omni_refuse_claim_of_finalized()
"""

# A month without usage has an invoice without lines. Usage that is a minute older than the close was there to be
# claimed; what is younger may have been committed after the claim, and goes to the next invoice.
_ISSUED_WHOLE = """
create function omni_check_finalized() returns trigger language plpgsql as $$
declare
    lines record;
    claimed numeric;
begin
    perform from invoice_register r where r.tenant_id = new.tenant_id for no key update;
    select count(*) as number, coalesce(sum(l.amount_minor), 0) as minor, coalesce(sum(l.exact_picos), 0) as picos
      into lines from invoice_line l where l.tenant_id = new.tenant_id and l.invoice_id = new.id;
    select sum(u.cost_picos) into claimed from usage_event u
     where u.tenant_id = new.tenant_id and u.invoice_id = new.id;
    if lines.minor <> new.total_minor then
        raise exception 'the total of an invoice is the sum of its lines' using errcode = 'check_violation';
    end if;
    if claimed <> lines.picos then
        raise exception 'the lines of an invoice add up to the usage on it' using errcode = 'check_violation';
    end if;
    if lines.number = 0 and claimed is null and exists (
        select from usage_event u
         where u.tenant_id = new.tenant_id and u.invoice_id is null
           and u.occurred_at < (new.month + interval '1 month') at time zone 'UTC'
           and u.recorded_at < now() - interval '1 minute') then
        raise exception 'an invoice of a month with usage has lines' using errcode = 'check_violation';
    end if;
    return null;
end $$;

create trigger invoice_issued_whole after insert or update on invoice
    for each row when (new.status = 'finalized') execute function omni_check_finalized()
"""

_NUMBERS = """
create function omni_refuse_number() returns trigger language plpgsql as $$
begin
    raise exception 'invoice numbers begin at 1 and rise by 1' using errcode = 'restrict_violation';
end $$;

create trigger invoice_register_begins before insert on invoice_register
    for each row when (new.last_number <> 0) execute function omni_refuse_number();

create trigger invoice_register_counts before update on invoice_register
    for each row when (new.last_number <> old.last_number + 1 or new.tenant_id <> old.tenant_id)
    execute function omni_refuse_number()
"""


def upgrade() -> None:
    """Make the triggers. They bind the program's role and the owner alike."""
    for part in (_NEVER_INSERTED, _NEVER_ADDED, _ISSUED_WHOLE, _NUMBERS):
        for statement in part.strip().split(";\n\n"):
            op.execute(statement)
