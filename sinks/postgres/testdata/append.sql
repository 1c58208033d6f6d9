-- create
CREATE TABLE "shop"."or""ders" (
  "id" numeric(20,0),
  "status" text,
  "amount" numeric(12,2),
  "doc" json,
  "total" integer,
  "_tailwater_op" text NOT NULL,
  "_tailwater_pos" text COLLATE "C" UNIQUE,
  "_tailwater_committed_at" timestamp with time zone,
  "_tailwater_unset" text[]
)
-- add a column
ALTER TABLE "shop"."or""ders" ADD COLUMN "status" text
-- truncate
TRUNCATE TABLE ONLY "shop"."or""ders"
-- add
INSERT INTO "shop"."or""ders" AS t ("id", "status", "amount", "doc", "_tailwater_op", "_tailwater_pos", "_tailwater_committed_at", "_tailwater_unset")
SELECT u.c1::numeric, u.c2::character varying, u.c3, u.c4::json, u.c5, u.c6, u.c7, u.c8::text[]
FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[], $5::text[], $6::text[], $7::timestamp with time zone[], $8::text[]) AS u(c1, c2, c3, c4, c5, c6, c7, c8)
ON CONFLICT ("_tailwater_pos") DO NOTHING
-- add with holes
INSERT INTO "shop"."or""ders" AS t ("id", "status", "_tailwater_op", "_tailwater_pos", "_tailwater_committed_at", "_tailwater_unset")
SELECT u.c1::numeric, u.c2::character varying, u.c3, u.c4, u.c5, u.c6::text[]
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamp with time zone[], $6::text[]) AS u(c1, c2, c3, c4, c5, c6)
ON CONFLICT ("_tailwater_pos") DO NOTHING
