-- create
CREATE TABLE `shop`.`or``ders` (
  `id` bigint NOT NULL,
  `status` varchar(756) NOT NULL,
  `amount` decimal(12,2) NULL,
  `doc` longtext NULL,
  `total` int NULL,
  `seen` datetime(6) NULL,
  PRIMARY KEY (`status`, `id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */
-- add a column
ALTER TABLE `shop`.`or``ders` ADD COLUMN `status` varchar(756) NULL
-- changes
DELETE FROM `shop`.`or``ders` WHERE (`status` = 'gone' AND `id` = 3) OR (`status` = 'gone' AND `id` = 4);
INSERT INTO `shop`.`or``ders` (`id`, `status`, `amount`, `doc`, `seen`) VALUES
(1, 'new', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001'),
(2, 'back\slash', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001')
ON DUPLICATE KEY UPDATE `id` = IF(9223372036854775807 + (NOT (`or``ders`.`status` <=> VALUES(`status`) AND `or``ders`.`id` <=> VALUES(`id`))), `or``ders`.`id`, NULL), `amount` = VALUES(`amount`), `doc` = VALUES(`doc`), `seen` = VALUES(`seen`);
UPDATE `shop`.`or``ders` SET `doc` = NULL, `seen` = `seen` WHERE `status` = 'partial' AND `id` = 5;
UPDATE `shop`.`or``ders` SET `seen` = `seen` WHERE `status` = 'k' AND `id` = 6;
UPDATE `shop`.`or``ders` SET `up` = NULL WHERE `up` IS NOT NULL;
DELETE FROM `shop`.`or``ders`;

-- truncate
UPDATE `shop`.`or``ders` SET `up` = NULL WHERE `up` IS NOT NULL;
DELETE FROM `shop`.`or``ders`
