-- create
CREATE TABLE "shop"."or""ders" (
  "id" numeric(20,0),
  "status" text,
  "amount" numeric(12,2),
  "doc" json,
  "total" integer,
  "_tailwater_pos" text COLLATE "C" UNIQUE,
  "_tailwater_deleted_at" timestamp with time zone
)
-- add a column
ALTER TABLE "shop"."or""ders" ADD COLUMN "status" text
-- truncate
UPDATE ONLY "shop"."or""ders" SET "_tailwater_deleted_at" = $1::timestamp with time zone WHERE "_tailwater_deleted_at" IS NULL
-- add
INSERT INTO "shop"."or""ders" AS t ("id", "status", "amount", "doc", "_tailwater_pos", "_tailwater_deleted_at")
SELECT u.c1::numeric, u.c2::character varying, u.c3, u.c4::json, u.c5, u.c6
FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[], $5::text[], $6::timestamp with time zone[]) AS u(c1, c2, c3, c4, c5, c6)
ON CONFLICT ("_tailwater_pos") DO NOTHING
-- add with holes
INSERT INTO "shop"."or""ders" AS t ("id", "status", "_tailwater_pos", "_tailwater_deleted_at")
SELECT u.c1::numeric, u.c2::character varying, u.c3, u.c4
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamp with time zone[]) AS u(c1, c2, c3, c4)
ON CONFLICT ("_tailwater_pos") DO NOTHING
-- remove one
UPDATE ONLY "shop"."or""ders" AS t SET "_tailwater_deleted_at" = ($5::timestamp with time zone[])[1]
WHERE t.ctid = (SELECT r.ctid FROM ONLY "shop"."or""ders" AS r
WHERE r."id" IS NOT DISTINCT FROM (($1::text[])[1])::numeric AND r."status" IS NOT DISTINCT FROM (($2::text[])[1])::character varying AND r."amount" IS NOT DISTINCT FROM ($3::numeric[])[1] AND r."doc"::text IS NOT DISTINCT FROM (((($4::text[])[1])::json)::json)::text AND true AND r."_tailwater_deleted_at" IS NULL
LIMIT 1 FOR UPDATE)
