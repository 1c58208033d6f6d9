-- create
CREATE TABLE "shop"."or""ders" (
  "id" numeric(20,0),
  "status" text,
  "amount" numeric(12,2),
  "doc" json,
  "total" integer,
  "_tailwater_deleted_at" timestamp with time zone,
  PRIMARY KEY ("id")
)
-- add a column
ALTER TABLE "shop"."or""ders" ADD COLUMN "status" text
-- truncate
UPDATE ONLY "shop"."or""ders" SET "_tailwater_deleted_at" = $1::timestamp with time zone WHERE "_tailwater_deleted_at" IS NULL
-- put
INSERT INTO "shop"."or""ders" AS t ("id", "status", "amount", "doc", "_tailwater_deleted_at")
SELECT u.c1::numeric, u.c2::character varying, u.c3, u.c4::json, u.c5
FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[], $5::timestamp with time zone[]) AS u(c1, c2, c3, c4, c5)
ON CONFLICT ("id") DO UPDATE SET "status" = excluded."status", "amount" = excluded."amount", "doc" = excluded."doc", "_tailwater_deleted_at" = excluded."_tailwater_deleted_at"
-- remove
UPDATE ONLY "shop"."or""ders" AS t SET "_tailwater_deleted_at" = u.c2
FROM unnest($1::text[], $2::timestamp with time zone[]) AS u(c1, c2)
WHERE t."id" = u.c1::numeric
-- patch
UPDATE ONLY "shop"."or""ders" AS t SET "status" = u.c2::character varying, "_tailwater_deleted_at" = u.c3
FROM unnest($1::text[], $2::text[], $3::timestamp with time zone[]) AS u(c1, c2, c3)
WHERE t."id" = u.c1::numeric AND t."_tailwater_deleted_at" IS NULL
-- patch of nothing but the key
SELECT FROM ONLY "shop"."or""ders" AS t, unnest($1::text[]) AS u(c1)
WHERE t."id" = u.c1::numeric AND t."_tailwater_deleted_at" IS NULL
FOR UPDATE OF t
