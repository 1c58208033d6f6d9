-- create
CREATE TABLE `shop`.`or``ders` (
  `id` bigint NULL,
  `status` longtext NULL,
  `amount` decimal(12,2) NULL,
  `doc` longtext NULL,
  `total` int NULL,
  `seen` datetime(6) NULL,
  `_tailwater_pos` varchar(42) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  `_tailwater_deleted_at` datetime(6) NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */
-- add a column
ALTER TABLE `shop`.`or``ders` ADD COLUMN `status` longtext NULL
-- changes
INSERT INTO `shop`.`or``ders` (`id`, `status`, `amount`, `doc`, `seen`, `_tailwater_pos`, `_tailwater_deleted_at`) VALUES
(1, 'new', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', '00000001-0000000000000001-0000000000000001', NULL),
(2, 'back\slash', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', '00000001-0000000000000002-0000000000000001', NULL) AS `_tailwater_new`
ON DUPLICATE KEY UPDATE `_tailwater_pos` = IF(9223372036854775807 + (NOT (`or``ders`.`_tailwater_pos` IS NOT NULL AND `or``ders`.`_tailwater_pos` <=> `_tailwater_new`.`_tailwater_pos`)), `or``ders`.`_tailwater_pos`, NULL);
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:23.000000', `seen` = `seen` WHERE TRUE AND `id` <=> 3 AND CONVERT(`status` USING utf8mb4) COLLATE utf8mb4_0900_bin <=> 'gone' AND `amount` <=> 1.5 AND `doc` <=> '{"it''s": 1}' AND `seen` <=> '2000-01-01T00:00:00.000001' AND `_tailwater_deleted_at` IS NULL LIMIT 1;
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:24.000000', `seen` = `seen` WHERE TRUE AND `id` <=> 4 AND CONVERT(`status` USING utf8mb4) COLLATE utf8mb4_0900_bin <=> 'gone' AND `amount` <=> 1.5 AND `doc` <=> '{"it''s": 1}' AND `seen` <=> '2000-01-01T00:00:00.000001' AND `_tailwater_deleted_at` IS NULL LIMIT 1;
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:25.000000', `seen` = `seen` WHERE TRUE AND `id` <=> 5 AND CONVERT(`status` USING utf8mb4) COLLATE utf8mb4_0900_bin <=> 'before' AND `amount` <=> 1.5 AND `doc` <=> '{"it''s": 1}' AND `seen` <=> '2000-01-01T00:00:00.000001' AND `_tailwater_deleted_at` IS NULL LIMIT 1;
INSERT INTO `shop`.`or``ders` (`id`, `status`, `amount`, `doc`, `seen`, `_tailwater_pos`, `_tailwater_deleted_at`) VALUES
(5, 'after', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', '00000001-0000000000000005-0000000000000001', NULL) AS `_tailwater_new`
ON DUPLICATE KEY UPDATE `_tailwater_pos` = IF(9223372036854775807 + (NOT (`or``ders`.`_tailwater_pos` IS NOT NULL AND `or``ders`.`_tailwater_pos` <=> `_tailwater_new`.`_tailwater_pos`)), `or``ders`.`_tailwater_pos`, NULL);
UPDATE `shop`.`or``ders` SET `_tailwater_deleted_at` = '2023-11-14T22:13:27.000000', `seen` = `seen` WHERE `_tailwater_deleted_at` IS NULL;

