/**
 * Which system calls a container may make: the list that podman and docker share (Apache 2.0), without the keyrings, which
 * belong to the machine and not to a container, and with the old calls that 32-bit programs of an old system still make.
 * What is not named is answered as a kernel does that does not know it, so that libraries use an older call instead.
 */
import { arch } from 'node:os';
import type { Seccomp, SyscallRule } from '../spec.ts';

const ALLOWED = `
  _llseek _newselect accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir chmod chown
  chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
  epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve
  execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod
  fchmodat fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr
  fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64 futimesat get_mempolicy
  get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid
  getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
  getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday
  getuid getuid32 getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
  io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listxattr llistxattr
  lremovexattr lseek lsetxattr lstat lstat64 madvise mbind membarrier memfd_create memfd_secret mincore mkdir
  mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open
  mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv
  msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat nice oldfstat oldlstat oldolduname
  oldstat olduname open openat openat2 pause pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc
  pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease
  process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead
  readdir readlink readlinkat readv reboot recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr
  rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
  rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max
  sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
  select semctl semget semop semtimedop semtimedop_time64 sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy
  set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
  setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
  setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr sgetmask shmat shmctl shmdt shmget shutdown
  sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask sigreturn sigsuspend socketcall socketpair
  splice ssetmask stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs sysfs sysinfo tee
  tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64
  ugetrlimit umask uname unlink unlinkat ustat utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid
  waitpid write writev
`;

/** Answered "not permitted", unless the container has the capability that they are for. */
const PRIVILEGED: Readonly<Record<string, string>> = {
  CAP_SYS_ADMIN: `
    bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
    perf_event_open pivot_root quotactl quotactl_fd setdomainname sethostname setns swapoff swapon syslog umount umount2
    unshare`,
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'create_module delete_module finit_module init_module query_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp process_madvise',
  CAP_SYS_RAWIO: 'ioperm iopl',
  CAP_SYS_TIME: 'clock_settime clock_settime64 settimeofday stime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
};

/** Never permitted: keyrings, and doors of the kernel that programs of a server do without and attackers like. */
const FORBIDDEN =
  'add_key io_uring_enter io_uring_register io_uring_setup kexec_file_load kexec_load keyctl nfsservctl request_key uselib userfaultfd';

/** CLONE_NEW* but for CLONE_NEWTIME, which clone(2) cannot make: NS, CGROUP, UTS, IPC, USER, PID, NET. */
const NAMESPACES = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000];
/** Sockets to the hypervisor are no network of the container's. */
const AF_VSOCK = 40;
/** PER_LINUX and PER_LINUX32, each also with UNAME26, and the question which it is. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];

const EPERM = 1;
const ENOSYS = 38;

/** libseccomp's words for the machine's own calls, and those of its 32-bit programs. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/**
 * @param capabilities those of the container, as `CAP_SYS_ADMIN`.
 * @returns the bundle's filter (runtime-spec, config-linux.md, Seccomp).
 */
export function seccompProfile(capabilities: readonly string[]): Seccomp {
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: ENOSYS,
    architectures: [...(ARCHITECTURES[arch()] ?? [])],
    syscalls: seccompRules(capabilities),
  };
}

function seccompRules(capabilities: readonly string[]): SyscallRule[] {
  const groups = Object.entries(PRIVILEGED).map(([name, text]) => ({
    names: words(text),
    has: capabilities.includes(name),
  }));
  const permitted = groups.flatMap(({ names, has }) => (has ? names : []));
  const refused = groups.flatMap(({ names, has }) => (has ? [] : names));
  const isAdmin = capabilities.includes('CAP_SYS_ADMIN');
  return [
    { names: [...words(ALLOWED), ...permitted, ...(isAdmin ? ['clone', 'clone3'] : [])], action: ALLOW },
    { names: [...words(FORBIDDEN), ...refused], action: ERRNO, errnoRet: EPERM },
    ...(isAdmin ? [] : cloneRules()),
    allowIf('socket', { index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }),
    ...PERSONALITIES.map((value) => allowIf('personality', { index: 0, value, op: 'SCMP_CMP_EQ' })),
  ];
}

/**
 * New processes, and no new namespaces. Those are refused as the kernel refuses them: systemd 256 and later goes on without
 * where it hears EPERM, and takes a clone that is not known for the end.
 */
function cloneRules(): SyscallRule[] {
  const test = (value: number, valueTwo: number) => ({ index: 0, value, valueTwo, op: 'SCMP_CMP_MASKED_EQ' }) as const;
  const all = NAMESPACES.reduce((mask, flag) => mask + flag, 0);
  return [
    allowIf('clone', test(all, 0)),
    ...NAMESPACES.map((flag) => ({ names: ['clone'], action: ERRNO, errnoRet: EPERM, args: [test(flag, flag)] })),
  ];
}

const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';

function allowIf(name: string, argument: NonNullable<SyscallRule['args']>[number]): SyscallRule {
  return { names: [name], action: ALLOW, args: [argument] };
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}
