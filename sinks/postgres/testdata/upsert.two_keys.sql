-- create
CREATE TABLE "shop"."or""ders" (
  "id" numeric(20,0),
  "status" text,
  "amount" numeric(12,2),
  "doc" json,
  "total" integer,
  PRIMARY KEY ("status", "id")
)
-- add a column
ALTER TABLE "shop"."or""ders" ADD COLUMN "status" text
-- truncate
TRUNCATE TABLE ONLY "shop"."or""ders"
-- put
INSERT INTO "shop"."or""ders" AS t ("id", "status", "amount", "doc")
SELECT u.c1::numeric, u.c2::character varying, u.c3, u.c4::json
FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[]) AS u(c1, c2, c3, c4)
ON CONFLICT ("status", "id") DO UPDATE SET "amount" = excluded."amount", "doc" = excluded."doc"
-- remove
DELETE FROM ONLY "shop"."or""ders" AS t USING unnest($1::text[], $2::text[]) AS u(c1, c2)
WHERE t."status" = u.c1::character varying AND t."id" = u.c2::numeric
-- patch
SELECT FROM ONLY "shop"."or""ders" AS t, unnest($1::text[], $2::text[]) AS u(c1, c2)
WHERE t."id" = u.c1::numeric AND t."status" = u.c2::character varying
FOR UPDATE OF t
-- patch of nothing but the key
SELECT FROM ONLY "shop"."or""ders" AS t, unnest($1::text[], $2::text[]) AS u(c1, c2)
WHERE t."status" = u.c1::character varying AND t."id" = u.c2::numeric
FOR UPDATE OF t
