/**
 * Names of services, which iptables reads in the place of ports. The names are those of /etc/services (Debian's netbase,
 * from the IANA registry); ports are always printed as numbers.
 *
 * Behind a port stand the protocols that have the service there: t for TCP, u for UDP, s for SCTP, d for DDP; without
 * them it is TCP alone.
 */
import { PROTOCOL } from "./protocols.js";

const NAMES = `
| 1 tcpmux | 7/tu echo | 9/tu discard sink null | 11 systat users | 13/tu daytime | 15 netstat | 17 qotd quote
| 19/tu chargen ttytst source | 20 ftp-data | 21 ftp | 21/u fsp fspd | 22 ssh | 23 telnet | 25 smtp mail
| 37/tu time timserver | 43 whois nicname | 49/tu tacacs | 53/tu domain | 67/u bootps | 68/u bootpc | 69/u tftp
| 70 gopher | 79 finger | 80 http www | 88/tu kerberos kerberos5 krb5 kerberos-sec | 102 iso-tsap tsap
| 104 acr-nema dicom | 106 poppassd | 110 pop3 pop-3 | 111/tu sunrpc portmapper | 113 auth authentication tap ident
| 119 nntp readnews untp | 123/u ntp | 135 epmap loc-srv | 137/u netbios-ns | 138/u netbios-dgm | 139 netbios-ssn
| 143 imap2 imap | 161/tu snmp | 162/tu snmp-trap snmptrap | 163/tu cmip-man | 164/tu cmip-agent | 174 mailq
| 177/u xdmcp | 179 bgp | 199 smux | 209 qmtp | 210 z3950 wais | 213/u ipx | 319/u ptp-event | 320/u ptp-general
| 345 pawserv | 346 zserv | 369/tu rpc2portmap | 370/tu codaauth2 | 371/u clearcase Clearcase | 389/tu ldap
| 427/tu svrloc | 443/tu https | 444 snpp | 445 microsoft-ds | 464/tu kpasswd | 465 submissions ssmtp smtps urd
| 487 saft | 500/u isakmp | 512 exec | 512/u biff comsat | 513 login | 513/u who whod | 514 shell cmd | 514/tu syslog
| 515 printer spooler | 517/u talk | 518/u ntalk | 520/u route router routed | 538/tu gdomap | 540 uucp uucpd
| 543 klogin | 544 kshell krcmd | 546/u dhcpv6-client | 547/u dhcpv6-server | 548 afpovertcp | 554/tu rtsp
| 563 nntps snntp | 587 submission | 607 nqs | 623/u asf-rmcp | 628 qmqp | 631 ipp | 636/tu ldaps | 646/tu ldp
| 655/tu tinc | 706 silc | 749 kerberos-adm | 750/tu kerberos4 kerberos-iv kdc | 751/tu kerberos-master
| 751/u kerberos_master | 752/u passwd-server passwd_server | 754 krb-prop krb_prop krb5_prop hprop
| 775 moira-db moira_db | 777 moira-update moira_update | 779/u moira-ureg moira_ureg | 783 spamd | 853/tu domain-s
| 871 supfilesrv | 873 rsync | 989 ftps-data | 990 ftps | 992 telnets | 993 imaps | 995 pop3s | 1080 socks
| 1093 proofd | 1094 rootd | 1099 rmiregistry | 1127 supfiledbg | 1178 skkserv | 1194/tu openvpn | 1210/u predict
| 1236 rmtcfg | 1313 xtel | 1314 xtelw | 1352 lotusnote lotusnotes | 1433 ms-sql-s | 1434/u ms-sql-m | 1524 ingreslock
| 1645/tu datametrics old-radius | 1646/tu sa-msg-port old-radacct | 1649 kermit | 1677 groupwise | 1701/u l2f l2tp
| 1812/tu radius | 1813/tu radius-acct radacct | 2000 cisco-sccp | 2049/tu nfs | 2086/tu gnunet | 2101/tu rtcm-sc104
| 2102/u zephyr-srv | 2103/u zephyr-clt | 2104/u zephyr-hm | 2119 gsigatekeeper | 2121 iprop | 2135 gris
| 2401 cvspserver | 2430/tu venus | 2431/tu venus-se | 2432/tu codasrv | 2433/tu codasrv-se | 2583/tu mon
| 2600 zebrasrv | 2601 zebra | 2602 ripd | 2603 ripngd | 2604 ospfd | 2605 bgpd | 2606 ospf6d | 2607 ospfapi
| 2608 isisd | 2628 dict | 2792 f5-globalsite | 2811 gsiftp | 2947 gpsd | 3050 gds-db gds_db | 3130/u icpv2 icp
| 3205/tu isns | 3260 iscsi-target | 3306 mysql | 3389 ms-wbt-server | 3493/tu nut | 3632 distcc | 3689 daap
| 3690 svn subversion | 4031 suucp | 4094 sysrqd | 4190 sieve | 4353 f5-iquery | 4369 epmd | 4373 remctl | 4460 ntske
| 4500/u ipsec-nat-t | 4557 fax | 4559 hylafax | 4569/u iax | 4691 mtn | 4899 radmin-port | 4949 munin lrrd
| 5060/tu sip | 5061/tu sip-tls | 5222 xmpp-client jabber-client | 5269 xmpp-server jabber-server | 5308 cfengine
| 5353/u mdns | 5432 postgresql postgres | 5555/u rplay | 5556 freeciv rptp | 5666 nrpe | 5667 nsca | 5671 amqps
| 5672/ts amqp | 5680 canna | 6000 x11 x11-0 | 6001 x11-1 | 6002 x11-2 | 6003 x11-3 | 6004 x11-4 | 6005 x11-5
| 6006 x11-6 | 6007 x11-7 | 6346/tu gnutella-svc | 6347/tu gnutella-rtr | 6379 redis | 6444 sge-qmaster sge_qmaster
| 6445 sge-execd sge_execd | 6446 mysql-proxy | 6514 syslog-tls | 6566 sane-port sane saned | 6667 ircd | 6696/u babel
| 6697 ircs-u | 7000 bbs | 7000/u afs3-fileserver | 7001/u afs3-callback | 7002/u afs3-prserver | 7003/u afs3-vlserver
| 7004/u afs3-kaserver | 7005/u afs3-volser | 7007/u afs3-bos | 7008/u afs3-update | 7009/u afs3-rmtsys
| 7100 font-service xfs | 8021 zope-ftp | 8080 http-alt webcache | 8081 tproxy | 8088 omniorb | 8140 puppet
| 8990 clc-build-daemon | 9098 xinetd | 9101 bacula-dir | 9102 bacula-fd | 9103 bacula-sd | 9418 git | 9667 xmms2
| 9673 zope | 10000 webmin | 10050 zabbix-agent | 10051 zabbix-trapper | 10080 amanda | 10081 kamanda
| 10082 amandaidx | 10083 amidxtape | 10809 nbd | 11371 hkp | 17001/u sgi-cmsd | 17002/u sgi-crsd | 17003/u sgi-gcd
| 17004 sgi-cad | 17500 db-lsp | 22125 dcap | 22128 gsidcap | 22273 wnn6 | 24554 binkp | 27374/tu asp | 30865 csync2
| 57000 dircproxy | 60177 tfido | 60179 fido | 1/d rtmp | 2/d nbp | 4/d echo | 6/d zip
`;

interface Service {
  readonly name: string;
  readonly port: number;
  readonly protocols: string;
}

const services = new Map<string, readonly Service[]>();
for (const entry of NAMES.trim().split("|").slice(1)) {
  const [where = "", ...names] = entry.trim().split(/\s+/);
  const [port, protocols = "t"] = where.split("/");
  for (const name of names)
    services.set(name, [...(services.get(name) ?? []), { name, port: Number(port), protocols }]);
}

const LETTERS: ReadonlyMap<number, string> = new Map([
  [PROTOCOL.tcp, "t"],
  [PROTOCOL.udp, "u"],
  [PROTOCOL.sctp, "s"],
]);

/**
 * The port of a service, or undefined: of any protocol (`any`), of any that runs on IP (`ip`, what getaddrinfo looks
 * for), or of the one with this number. Names are told apart by upper and lower case, as getservbyname does.
 */
export function servicePort(name: string, protocol: number | "any" | "ip" = "any"): number | undefined {
  const letters = protocol === "any" ? "tusd" : protocol === "ip" ? "tus" : (LETTERS.get(protocol) ?? "");
  const has = ({ protocols }: Service) => [...letters].some((letter) => protocols.includes(letter));
  return services.get(name)?.find(has)?.port;
}
