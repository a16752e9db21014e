-- Hosts with their network's mask, and networks: one row is found by one key, nothing is rechecked, and values come back from the index.
-- Reported: 200,000 hosts of one /8 network, where `=` looked at each of them.

SET jit = off;
CREATE TABLE hosts (id int, h inet, n cidr);
-- Hosts of 10.0.0.0/8, as many of one IPv6 subnet, and others with masks of all lengths.
INSERT INTO hosts SELECT g, set_masklen(inet '10.0.0.0' + g * 7919 % 16777216, 8) FROM generate_series(1, 4000) g;
INSERT INTO hosts SELECT g, set_masklen(inet '2001:db8:0:7::' + g * 104729::bigint % 1000003, 64) FROM generate_series(4001, 8000) g;
INSERT INTO hosts SELECT g, set_masklen(inet '192.168.0.0' + g * 31 % 70000, g % 33), set_masklen(cidr '172.16.0.0/12' + g * 4099 % 1048576, 12 + g % 21)
FROM generate_series(8001, 9000) g;
CREATE INDEX hosts_h ON hosts USING xtree (h);
CREATE INDEX hosts_n ON hosts USING xtree (n);
-- Half of these before, half after.
INSERT INTO hosts SELECT g, set_masklen(inet 'fe80::1' + (g * 7919::bigint << g % 50), g % 129), network(set_masklen(inet 'fd00::' + (g * 31::bigint << g % 57), g % 129))
FROM generate_series(9001, 10000) g;
INSERT INTO hosts SELECT g, set_masklen(inet '10.0.0.0' + g * 7919 % 16777216, 8) FROM generate_series(10001, 11000) g;
INSERT INTO hosts (h, n) SELECT x, network(x) FROM unnest('{0.0.0.0/0, 0.0.0.1/0, 0.0.0.0, 0.0.0.0/1, 255.255.255.255, 255.255.255.255/0, 128.0.0.0/1, 127.255.255.255,
  10.0.0.0/8, 10.0.0.0/9, 10.0.0.0, 10.0.0.1/8, 10.255.255.255/8, 10.255.255.255, 11.0.0.0/8, 9.255.255.255,
  ::/0, ::, ::1/0, ::/1, 8000::/1, ::1, ::1/127, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/0,
  2001:db8:0:7::/64, 2001:db8:0:7::/63, 2001:db8:0:6::/63, 2001:db8:0:7::/65, 2001:db8:0:7:8000::/65, 2001:db8:0:7::1/64, 2001:db8:0:7::1,
  2001:db8:0:7:ffff:ffff:ffff:ffff/64, 2001:db8:0:7:ffff:ffff:ffff:ffff, 2001:db8::/32, 2001:db8::/31, 2001:db8:0:8::/64}'::inet[]) x;
INSERT INTO hosts VALUES (NULL, NULL, NULL);
VACUUM ANALYZE hosts;

-- Nothing is removed by a recheck.
SELECT explain_analyze($$SELECT h FROM hosts WHERE h = '10.45.234.196/8'$$);
SELECT explain_analyze($$SELECT h FROM hosts WHERE h = '2001:db8:0:7::1/64'$$);
SELECT explain_analyze($$SELECT h FROM hosts WHERE h << '10.0.0.0/9'$$);
SELECT explain_analyze($$SELECT n FROM hosts WHERE n >> '172.16.4.1'$$);
SELECT explain_analyze($$SELECT h FROM hosts WHERE h BETWEEN '10.200.0.0/8' AND '10.200.9.255/8'$$);

-- Every operator with each of these, through bitmap and index-only scans.
CREATE TABLE asked AS SELECT h FROM hosts WHERE id IS NULL AND h IS NOT NULL UNION SELECT h FROM hosts WHERE id % 599 = 0;
SELECT col, op, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same, string_agg(DISTINCT nodes, ' ') AS nodes
FROM asked, unnest('{h, n}'::text[]) col, unnest('{&&, =, <<, <<=, >>, >>=}'::text[]) op,
  agree(format('SELECT %I FROM hosts WHERE %1$I %s %L::inet', col, op, h)) WHERE masklen(h) > 0 OR op IN ('=', '>>', '>>=')
GROUP BY col, op ORDER BY col, op COLLATE "C";
SELECT op, count(*) AS queries, sum(rows) AS rows, bool_and(same) AS same
FROM (SELECT h FROM asked WHERE family(h) = 6 OR h << '192.168.0.0/16' OR masklen(h) = 0) a, unnest('{<>, <, <=, >, >=}'::text[]) op,
  agree(format('SELECT n FROM hosts WHERE n %s %L::inet', op, h)) GROUP BY op ORDER BY op COLLATE "C";
SELECT (agree($$SELECT h FROM hosts WHERE h = ANY ('{10.0.0.1/8, 2001:db8:0:7::1/64, ::, NULL, 1.2.3.4}')$$)).*;
SELECT (agree($$SELECT h FROM hosts WHERE h << ANY ('{10.200.0.0/16, 10.0.0.0/8, fe80::/10, NULL}')$$)).*;
SELECT (agree($$SELECT h FROM hosts WHERE h BETWEEN '2001:db8:0:7::100/64' AND 'fe80::/20' AND h <> '2001:db8:0:7::1/64'$$)).*;
SELECT (agree($$SELECT n FROM hosts WHERE n IS NULL AND h << '192.168.0.0/17'$$)).*;

-- A join, a column beside others, and an exclusion constraint.
CREATE TABLE acl (rule int, net inet);
INSERT INTO acl SELECT g, network(set_masklen(inet '10.0.0.0' + g * 104729 % 16777216, 14 + g % 11)) FROM generate_series(1, 60) g;
SELECT (agree($$SELECT rule, h FROM acl JOIN hosts ON h = set_masklen(net, 8) OR n >>= net$$)).same;
CREATE INDEX hosts_pair ON hosts USING xtree (n, id, h);
SELECT (agree($$SELECT id, h, n FROM hosts WHERE n <<= '172.16.0.0/13' AND id < 8500 AND h >= '192.168.0.0/16'$$)).*;
CREATE TABLE leases (vrf int, net inet, EXCLUDE USING xtree (vrf WITH =, net WITH &&));
INSERT INTO leases SELECT g % 3, set_masklen(inet '10.0.0.0' + g * 256, 24) FROM generate_series(1, 600) g;
INSERT INTO leases SELECT g % 3, set_masklen(inet 'fd00::' + (g::bigint << 32), 96) FROM generate_series(1, 600) g;
INSERT INTO leases VALUES (0, '10.0.3.7');
INSERT INTO leases VALUES (1, '10.0.0.0/23');
INSERT INTO leases VALUES (2, 'fd00::8:0:0/95');
INSERT INTO leases VALUES (1, '10.0.3.7'), (1, 'fd00::5:0:0/97');

SELECT indexrelid::regclass, xtree_check(indexrelid::regclass, true)
FROM pg_index WHERE indrelid IN ('hosts'::regclass, 'leases'::regclass) ORDER BY 1;
DROP TABLE hosts, asked, acl, leases;
