-- create
CREATE TABLE "shop"."or""ders" (
  "id" numeric(20,0),
  "status" text,
  "amount" numeric(12,2),
  "doc" json,
  "total" integer,
  PRIMARY KEY ("id")
)
-- add a column
ALTER TABLE "shop"."or""ders" ADD COLUMN "status" text
-- truncate
TRUNCATE TABLE ONLY "shop"."or""ders"
-- put
INSERT INTO "shop"."or""ders" AS t ("id", "status", "amount", "doc") OVERRIDING SYSTEM VALUE
SELECT u.c1, u.c2::character varying, u.c3, u.c4::json
FROM unnest($1::bigint[], $2::text[], $3::numeric[], $4::text[]) AS u(c1, c2, c3, c4)
ON CONFLICT ("id") DO UPDATE SET "status" = excluded."status", "amount" = excluded."amount", "doc" = excluded."doc"
-- remove
DELETE FROM ONLY "shop"."or""ders" AS t USING unnest($1::bigint[]) AS u(c1)
WHERE t."id" = u.c1
-- patch
UPDATE ONLY "shop"."or""ders" AS t SET "status" = u.c2::character varying
FROM unnest($1::bigint[], $2::text[]) AS u(c1, c2)
WHERE t."id" = u.c1
-- patch of nothing but the key
SELECT FROM ONLY "shop"."or""ders" AS t, unnest($1::bigint[]) AS u(c1)
WHERE t."id" = u.c1
FOR UPDATE OF t
