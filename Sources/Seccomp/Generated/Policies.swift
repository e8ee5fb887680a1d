// SPDX-License-Identifier: Apache-2.0
// Made from seccomp/ by `make generate`.
// swift-format-ignore-file

extension BuiltInPolicy {
  /// All of them, in the order in which people are told of them.
  public static let all: [BuiltInPolicy] = [defaultPolicy, desktopPolicy, strictPolicy, compatPolicy]

  /// The program of process 1.
  public static var initProgram: SeccompProgram { SeccompProgram(instructions: initInstructions) }

  /// The program of the relay between a sandbox and the network.
  public static var relayProgram: SeccompProgram { SeccompProgram(instructions: relayInstructions) }

  /// The program of the holder of a network between sandboxes.
  public static var holderProgram: SeccompProgram { SeccompProgram(instructions: holderInstructions) }

  /// The program that leaves no Unix socket to connect with.
  public static var unixlessProgram: SeccompProgram {
    SeccompProgram(instructions: unixlessInstructions)
  }

  /// Lines for policies to include, by name.
  static func part(_ name: String) -> StaticString? {
    switch name {
      case "host":
        ##"""
# What a command could leave on the host, or take from all its users, whatever its files and
# namespaces are. Every built-in policy includes these lines; your own policies can as well.

# A set-user-ID file that a command leaves in a writable directory outlives the sandbox: outside,
# other users run it as the caller. So no call may set such a mode. mkdir is not among them, since
# the kernel ignores these bits there, and programs pass them when they copy directories.
errno? EPERM chmod fchmod creat mknod if arg1 & S_ISUID|S_ISGID != 0
errno? EPERM fchmodat fchmodat2 mknodat if arg2 & S_ISUID|S_ISGID != 0
# The mode counts where a file is created, or one without a name (020000000 of O_TMPFILE).
errno? EPERM open if arg1 & O_CREAT|020000000 != 0 and arg2 & S_ISUID|S_ISGID != 0
errno? EPERM openat if arg2 & O_CREAT|020000000 != 0 and arg3 & S_ISUID|S_ISGID != 0
# These keep the mode in memory, where a filter cannot see it: io_uring carries out openat as well.
# Programs use openat and epoll instead.
errno ENOSYS openat2
errno EPERM @io-uring

# A lease on a file makes every other process that opens it wait, for 45 seconds: the host's own
# writers too, and through a read-only bind. The second number is F_SETDELEG, for directories.
errno? EPERM fcntl fcntl64 if arg1 == F_SETLEASE
errno? EPERM fcntl fcntl64 if arg1 == 1040

# The machine has 65 536 requests of the old asynchronous I/O for all users together; one process
# can take them all. Programs fall back on threads.
errno ENOSYS io_setup

# Process 1 of a sandbox has the command's user: by a limit of processor time the command could kill
# it, and by a priority leave it no time to end the others. Kinds 1 and 2 of setpriority, and 2 and 3
# of ioprio_set, are process groups and users: the caller's own process group among them.
errno? EPERM prlimit64 sched_setparam sched_setscheduler sched_setattr sched_setaffinity if arg0 == 1
errno? EPERM setpriority if arg0 != 0
errno? EPERM setpriority if arg1 == 1
errno? EPERM ioprio_set if arg0 != 1
errno? EPERM ioprio_set if arg1 == 1
"""##
      case "sockets":
        ##"""
# The sockets that nearly all programs use, by family, type and protocol; all others are refused.
# `default` and `compat` include these lines, and your own policies can as well.

# Of the other families, most are for special machines and had holes that stayed unseen for long:
# CVE-2010-3904 (AF_RDS), CVE-2017-7308 and CVE-2020-14386 (AF_PACKET), CVE-2021-26708 (AF_VSOCK),
# CVE-2021-43267 (AF_TIPC), CVE-2022-1353 (AF_KEY). Some know no network namespace, so that the
# host's ports stay within reach in a new one: AF_VSOCK before Linux 7.0, AF_QIPCRTR.
# Of the internet's protocols TCP, UDP and echo requests remain: no SCTP (CVE-2019-8956), MPTCP,
# UDP-Lite, L2TP or SMC, which the kernel loads when somebody asks for them.
errno EPROTONOSUPPORT socket
allow socket if arg2 == IPPROTO_IP
allow socket if arg2 == IPPROTO_TCP
allow socket if arg2 == IPPROTO_UDP
allow socket if arg2 == IPPROTO_ICMP
allow socket if arg2 == IPPROTO_ICMPV6
# A type stands for a protocol as well, and shares its argument with flags. CVE-2017-6074 (DCCP).
errno ESOCKTNOSUPPORT socket if arg1 & 0xf == SOCK_DCCP
errno ESOCKTNOSUPPORT socket if arg1 & 0xf == SOCK_PACKET
errno ESOCKTNOSUPPORT socket if arg1 & 0xf == SOCK_SEQPACKET
errno EAFNOSUPPORT socket if arg0 != AF_INET and arg0 != AF_INET6
allow socket if arg0 == AF_UNIX

errno EAFNOSUPPORT socketpair
allow socketpair if arg0 == AF_UNIX

# The old entry of 32-bit programs keeps the family in memory, so that a filter cannot tell
# families apart: 1 and 8 are socket and socketpair. Old 32-bit C libraries know no other entry;
# --seccomp-allow socketcall gives their programs sockets, of every family.
errno? ENOSYS socketcall if arg0 == 1
errno? ENOSYS socketcall if arg0 == 8
"""##
    default: nil
    }
  }

  /// The groups that every policy knows.
  static let groups: StaticString = ##"""
# Groups of system calls, for every policy. Their names and sense are those of systemd
# (systemd.exec(5), SystemCallFilter=); which call is in which group was settled here.
# A call may be in several groups, and every known call is in one at least.
# `group?` passes over calls that the libseccomp at hand does not know.

# Calls that every program needs: its memory, threads, identity, clocks, and its end.
group @default brk mmap mmap2 munmap mprotect mremap madvise mincore
group @default exit exit_group restart_syscall rt_sigreturn sigreturn pause
group @default futex futex_time64 futex_waitv set_robust_list get_robust_list set_tid_address
group @default futex_wait futex_wake futex_requeue map_shadow_stack mseal rseq
group @default rseq_slice_yield
group @default arch_prctl set_thread_area get_thread_area membarrier sched_yield getcpu
group @default getpid getppid gettid getpgrp getpgid getsid getrandom uname sysinfo
group @default getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32
group @default getresuid getresuid32 getresgid getresgid32 getgroups getgroups32
group @default getrlimit ugetrlimit getrusage getpriority ioprio_get
group @default sched_getaffinity sched_getattr sched_getparam sched_getscheduler
group @default sched_get_priority_max sched_get_priority_min
group @default sched_rr_get_interval sched_rr_get_interval_time64
group @default clock_getres clock_getres_time64 clock_gettime clock_gettime64 gettimeofday time
group @default clock_nanosleep clock_nanosleep_time64 nanosleep times
group? @default breakpoint cacheflush get_tls set_tls

# The younger interface for asynchronous calls, which carries out most others by itself.
group @io-uring io_uring_setup io_uring_enter io_uring_register

# Asynchronous input and output, by both of the kernel's interfaces.
group @aio io_setup io_destroy io_submit io_cancel io_getevents
group @aio io_pgetevents io_pgetevents_time64 @io-uring

# Reading and writing open files.
group @basic-io read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2
group @basic-io lseek _llseek close close_range dup dup2 dup3

# Owners of files.
group @chown chown chown32 fchown fchown32 fchownat lchown lchown32

# Setting clocks.
group @clock adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64
group @clock settimeofday stime

# Calls that processor emulators use.
group @cpu-emulation modify_ldt vm86 vm86old

# Looking into other processes, and performance counters.
group @debug ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp
group @debug perf_event_open lookup_dcookie
group? @debug uprobe uretprobe

# Files and directories by name, and their attributes.
group @file-system open openat openat2 creat close access faccessat faccessat2
group @file-system stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx
group @file-system oldstat oldlstat oldfstat statfs statfs64 fstatfs fstatfs64
group @file-system cachestat fchmodat2 file_getattr file_setattr
group @file-system setxattrat getxattrat listxattrat removexattrat
group @file-system getcwd chdir fchdir getdents getdents64 readdir readlink readlinkat umask
group @file-system mkdir mkdirat mknod mknodat rmdir unlink unlinkat rename renameat renameat2
group @file-system link linkat symlink symlinkat chmod fchmod fchmodat
group @file-system truncate truncate64 ftruncate ftruncate64 fallocate
group @file-system utime utimes futimesat utimensat utimensat_time64
group @file-system fcntl fcntl64 flock fadvise64 fadvise64_64 arm_fadvise64_64 readahead
group @file-system getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
group @file-system setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
group @file-system copy_file_range sendfile sendfile64 splice tee vmsplice name_to_handle_at
group @file-system inotify_init inotify_init1 inotify_add_watch inotify_rm_watch

# Waiting for one of many.
group @io-event poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64
group @io-event epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
group @io-event eventfd eventfd2

# Between processes: pipes, shared memory, queues, semaphores.
group @ipc ipc pipe pipe2 memfd_create memfd_secret
group @ipc shmat shmctl shmdt shmget semctl semget semop semtimedop semtimedop_time64
group @ipc msgctl msgget msgrcv msgsnd mq_open mq_unlink mq_notify mq_getsetattr
group @ipc mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
group @ipc process_madvise process_vm_readv process_vm_writev

# Keys that the kernel keeps.
group @keyring add_key keyctl request_key

# Keeping memory from being swapped out.
group @memlock mlock mlock2 mlockall munlock munlockall

# Kernel modules.
group @module init_module finit_module delete_module

# Mounts, and roots other than the process's own.
group @mount mount umount umount2 pivot_root chroot
group @mount open_tree move_mount mount_setattr fsopen fsconfig fsmount fspick
group @mount open_tree_attr statmount listmount listns

# Sockets.
group @network-io socket socketpair socketcall bind listen accept accept4 connect shutdown
group @network-io getsockname getpeername getsockopt setsockopt
group @network-io send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64

# Calls that the kernel never had, or has removed.
group @obsolete _sysctl afs_syscall bdflush break create_module epoll_ctl_old epoll_wait_old
group @obsolete ftime get_kernel_syms getpmsg gtty idle lock mpx nfsservctl prof profil putpmsg
group @obsolete query_module remap_file_pages security sgetmask ssetmask stty sysfs tuxcall
group @obsolete usr26 usr32
group @obsolete olduname oldolduname ulimit uselib ustat vserver

# Memory protection keys.
group @pkey pkey_alloc pkey_free pkey_mprotect

# Processes and threads: how they begin, what they execute, how one is waited for.
group @process clone clone3 fork vfork execve execveat wait4 waitid waitpid kill tkill tgkill
group @process pidfd_open pidfd_send_signal prctl capget personality process_mrelease
group @process rt_sigqueueinfo rt_tgsigqueueinfo setns unshare setpgid setsid times

# Hardware, past its drivers.
group @raw-io ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write

# The machine's end, and another kernel.
group @reboot reboot kexec_load kexec_file_load

# How much of the machine a process gets.
group @resources setrlimit prlimit64 setpriority nice ioprio_set
group @resources sched_setaffinity sched_setattr sched_setparam sched_setscheduler
group @resources mbind get_mempolicy set_mempolicy set_mempolicy_home_node
group @resources migrate_pages move_pages

# Privileges that a process gives up voluntarily.
group @sandbox seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
group @sandbox lsm_get_self_attr lsm_set_self_attr lsm_list_modules

# Other users and groups.
group @setuid setuid setuid32 setgid setgid32 setgroups setgroups32 setfsuid setfsuid32
group @setuid setfsgid setfsgid32 setreuid setreuid32 setregid setregid32
group @setuid setresuid setresuid32 setresgid setresgid32

# Handling of signals.
group @signal rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait
group @signal rt_sigtimedwait_time64 sigaction sigaltstack signal sigpending sigprocmask
group @signal sigsuspend signalfd signalfd4

# Swap space.
group @swap swapon swapoff

# Calls that succeed only for privileged processes.
group @privileged @chown @clock @module @raw-io @reboot @setuid @swap
group @privileged acct bpf capset chroot fanotify_init fanotify_mark open_by_handle_at
group @privileged pivot_root quotactl quotactl_fd setdomainname sethostname syslog vhangup

# Writing cached data to disk.
group @sync sync syncfs fsync fdatasync msync
group? @sync sync_file_range sync_file_range2 arm_sync_file_range

# Timers.
group @timer alarm getitimer setitimer times
group @timer timer_create timer_delete timer_getoverrun timer_gettime timer_settime
group @timer timer_gettime64 timer_settime64
group @timer timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64

# What an ordinary program or service may need, of what does no harm by itself.
group @system-service @default @aio @basic-io @chown @file-system @io-event @ipc @memlock
group @system-service @network-io @pkey @process @resources @sandbox @setuid @signal @sync @timer
group @system-service capset ioctl remap_file_pages userfaultfd
"""##
}
