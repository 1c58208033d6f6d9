-- create
CREATE TABLE `shop`.`or``ders` (
  `id` bigint NOT NULL,
  `status` longtext NULL,
  `amount` decimal(12,2) NULL,
  `doc` longtext NULL,
  `total` int NULL,
  `seen` datetime(6) NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */
-- add a column
ALTER TABLE `shop`.`or``ders` ADD COLUMN `status` longtext NULL
-- changes
DELETE FROM `shop`.`or``ders` WHERE `id` IN (3, 4);
INSERT INTO `shop`.`or``ders` (`id`, `status`, `amount`, `doc`, `seen`) VALUES
(1, 'new', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001'),
(2, 'back\slash', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001') AS `_tailwater_new`
ON DUPLICATE KEY UPDATE `id` = IF(9223372036854775807 + (NOT (`or``ders`.`id` <=> `_tailwater_new`.`id`)), `or``ders`.`id`, NULL), `status` = `_tailwater_new`.`status`, `amount` = `_tailwater_new`.`amount`, `doc` = `_tailwater_new`.`doc`, `seen` = `_tailwater_new`.`seen`;
UPDATE `shop`.`or``ders` SET `status` = 'partial', `doc` = NULL, `seen` = `seen` WHERE `id` = 5;
UPDATE `shop`.`or``ders` SET `status` = 'k', `seen` = `seen` WHERE `id` = 6;
UPDATE `shop`.`or``ders` SET `up` = NULL WHERE `up` IS NOT NULL;
DELETE FROM `shop`.`or``ders`;

-- truncate
UPDATE `shop`.`or``ders` SET `up` = NULL WHERE `up` IS NOT NULL;
DELETE FROM `shop`.`or``ders`
