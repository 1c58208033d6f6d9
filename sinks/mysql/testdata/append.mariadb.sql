-- create
CREATE TABLE `shop`.`or``ders` (
  `id` bigint NULL,
  `status` longtext NULL,
  `amount` decimal(12,2) NULL,
  `doc` longtext NULL,
  `total` int NULL,
  `seen` datetime(6) NULL,
  `_tailwater_op` varchar(16) NOT NULL,
  `_tailwater_pos` varchar(42) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  `_tailwater_committed_at` datetime(6) NULL,
  `_tailwater_unset` longtext NULL
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE /*!80000 utf8mb4_0900_bin */ /*M! utf8mb4_nopad_bin */
-- add a column
ALTER TABLE `shop`.`or``ders` ADD COLUMN `status` longtext NULL
-- changes
INSERT INTO `shop`.`or``ders` (`id`, `status`, `amount`, `doc`, `seen`, `_tailwater_op`, `_tailwater_pos`, `_tailwater_committed_at`, `_tailwater_unset`) VALUES
(1, 'new', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', 'insert', '00000001-0000000000000001-0000000000000001', '2023-11-14T22:13:21.000000', NULL),
(2, 'back\slash', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', 'insert', '00000001-0000000000000002-0000000000000001', '2023-11-14T22:13:22.000000', NULL),
(3, 'gone', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', 'delete', '00000001-0000000000000003-0000000000000001', '2023-11-14T22:13:23.000000', NULL),
(4, 'gone', 1.5, '{"it''s": 1}', '2000-01-01T00:00:00.000001', 'delete', '00000001-0000000000000004-0000000000000001', '2023-11-14T22:13:24.000000', NULL)
ON DUPLICATE KEY UPDATE `_tailwater_pos` = IF(9223372036854775807 + (NOT (`or``ders`.`_tailwater_pos` IS NOT NULL AND `or``ders`.`_tailwater_pos` <=> VALUES(`_tailwater_pos`))), `or``ders`.`_tailwater_pos`, NULL);
INSERT INTO `shop`.`or``ders` (`id`, `status`, `doc`, `_tailwater_op`, `_tailwater_pos`, `_tailwater_committed_at`, `_tailwater_unset`) VALUES
(5, 'partial', NULL, 'update', '00000001-0000000000000005-0000000000000001', '2023-11-14T22:13:25.000000', '["amount","seen"]')
ON DUPLICATE KEY UPDATE `_tailwater_pos` = IF(9223372036854775807 + (NOT (`or``ders`.`_tailwater_pos` IS NOT NULL AND `or``ders`.`_tailwater_pos` <=> VALUES(`_tailwater_pos`))), `or``ders`.`_tailwater_pos`, NULL);
INSERT INTO `shop`.`or``ders` (`id`, `status`, `_tailwater_op`, `_tailwater_pos`, `_tailwater_committed_at`, `_tailwater_unset`) VALUES
(6, 'k', 'update', '00000001-0000000000000006-0000000000000001', '2023-11-14T22:13:26.000000', '["amount","doc","seen"]')
ON DUPLICATE KEY UPDATE `_tailwater_pos` = IF(9223372036854775807 + (NOT (`or``ders`.`_tailwater_pos` IS NOT NULL AND `or``ders`.`_tailwater_pos` <=> VALUES(`_tailwater_pos`))), `or``ders`.`_tailwater_pos`, NULL);
INSERT INTO `shop`.`or``ders` (`_tailwater_op`, `_tailwater_pos`, `_tailwater_committed_at`, `_tailwater_unset`) VALUES
('truncate', '00000001-0000000000000007-0000000000000001', '2023-11-14T22:13:27.000000', '["id","status","amount","doc","seen"]')
ON DUPLICATE KEY UPDATE `_tailwater_pos` = IF(9223372036854775807 + (NOT (`or``ders`.`_tailwater_pos` IS NOT NULL AND `or``ders`.`_tailwater_pos` <=> VALUES(`_tailwater_pos`))), `or``ders`.`_tailwater_pos`, NULL);

