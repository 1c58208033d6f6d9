-- create
CREATE TABLE `shop`.`or``ders` (
  `id` bigint NOT NULL,
  `status` longtext NULL,
  `amount` decimal(12,2) NULL,
  `doc` longtext NULL,
  `total` int NULL,
  `seen` datetime(6) NULL,
  `_tailwater_deleted_at` datetime(6) NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */
-- add a column
ALTER TABLE `shop`.`or``ders` ADD COLUMN `status` longtext NULL
-- changes
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:23.000000', `seen` = `seen` WHERE `id` = 3;
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:24.000000', `seen` = `seen` WHERE `id` = 4;
INSERT INTO `shop`.`or``ders` (`id`, `status`, `amount`, `doc`, `seen`, `_tailwater_deleted_at`) VALUES
(1, 'new', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', NULL),
(2, 'back\slash', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', NULL) AS `_tailwater_new`
ON DUPLICATE KEY UPDATE `id` = IF(9223372036854775807 + (NOT (`or``ders`.`id` <=> `_tailwater_new`.`id`)), `or``ders`.`id`, NULL), `status` = `_tailwater_new`.`status`, `amount` = `_tailwater_new`.`amount`, `doc` = `_tailwater_new`.`doc`, `seen` = `_tailwater_new`.`seen`, `_tailwater_deleted_at` = `_tailwater_new`.`_tailwater_deleted_at`;
UPDATE `shop`.`or``ders` SET `status` = 'partial', `doc` = NULL, `_tailwater_deleted_at` = NULL, `seen` = `seen` WHERE `id` = 5 AND `_tailwater_deleted_at` IS NULL;
UPDATE `shop`.`or``ders` SET `status` = 'k', `_tailwater_deleted_at` = NULL, `seen` = `seen` WHERE `id` = 6 AND `_tailwater_deleted_at` IS NULL;
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:27.000000', `seen` = `seen` WHERE `_tailwater_deleted_at` IS NULL;

