package pluginhost

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookarr/hookarr/sdk/host"
)

// TestUsageJudge gives it looks, a second apart.
func TestUsageJudge(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	type look struct {
		// memory in MiB and processor's time since the last look in ms.
		memory, cpu, processes, threads int
		// stuck calls so far.
		stuck int64
	}
	again := func(n int, l look) (looks []look) {
		for range n {
			looks = append(looks, l)
		}
		return looks
	}
	const memoryReason = "it held 101 MiB of memory, more than plugins.target-x.memory, which is 100 MiB"
	for name, test := range map[string]struct {
		bound int64
		looks []look
		// at is the number of the look that is too much, from 1; 0 is none.
		at   int
		want excess
	}{
		"no bound":                    {looks: again(10, look{memory: 5000})},
		"below the bound":             {bound: 100, looks: again(10, look{memory: 100})},
		"above for a moment":          {bound: 100, looks: []look{{memory: 101}, {memory: 101}, {memory: 99}, {memory: 101}, {memory: 101}, {memory: 99}}},
		"above":                       {bound: 100, looks: again(4, look{memory: 101}), at: 3, want: excess{limit: limitMemory, reason: memoryReason}},
		"above, and below in between": {bound: 100, looks: append([]look{{memory: 101}, {memory: 101}, {memory: 9}}, again(3, look{memory: 101})...), at: 6, want: excess{limit: limitMemory, reason: memoryReason}},
		"twice the bound":             {bound: 100, looks: []look{{memory: 200}, {memory: 201}}, at: 2, want: excess{limit: limitMemory, now: true, reason: "it held 201 MiB of memory, more than twice plugins.target-x.memory, which is 100 MiB"}},
		"as many processes as may be": {looks: again(3, look{processes: 64})},
		"too many processes":          {looks: []look{{processes: 2}, {processes: 65}}, at: 2, want: excess{limit: limitProcesses, now: true, reason: "it had 65 processes, more than 64"}},
		"as many threads as may be":   {looks: again(3, look{processes: 2, threads: 1024})},
		"too many threads":            {looks: []look{{threads: 9}, {threads: 1025}}, at: 2, want: excess{limit: limitThreads, now: true, reason: "it had 1025 threads, more than 1024"}},

		"works hard":                {looks: again(60, look{cpu: 2000})},
		"has stuck calls that wait": {looks: again(60, look{cpu: 100, stuck: 3})},
		"spins": {
			looks: append([]look{{}}, again(40, look{cpu: 510, stuck: 1})...), at: 31,
			want: excess{limit: limitCPU, reason: "it took more than 50 % of a processor for 30s after a call got stuck"},
		},
		"works hard long after a call got stuck": {looks: append(append([]look{{}}, again(31, look{stuck: 1})...), again(60, look{cpu: 2000, stuck: 1})...)},
		"spins half of the time":                 {looks: append(append([]look{{}}, again(15, look{cpu: 1000, stuck: 1})...), again(45, look{stuck: 1})...)},
		"spins for another call": {
			looks: append(append([]look{{}}, again(40, look{cpu: 100, stuck: 1})...), again(40, look{cpu: 900, stuck: 2})...), at: 71,
			want: excess{limit: limitCPU, reason: "it took more than 50 % of a processor for 30s after a call got stuck"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var j usageJudge
			var cpu time.Duration
			now := time.Unix(1_800_000_000, 0)
			may := allowance{memory: test.bound * mib, key: "plugins.target-x.memory", spin: 30 * time.Second, spinShare: 0.5}
			for i, l := range test.looks {
				now = now.Add(time.Second)
				cpu += time.Duration(l.cpu) * time.Millisecond
				e := j.look(now, usage{memory: int64(l.memory) * mib, cpu: cpu, processes: l.processes, threads: l.threads}, may, l.stuck)
				if i+1 == test.at {
					require.Equal(t, &test.want, e)
					return
				}
				require.Nil(t, e, "look %d", i+1)
			}
			require.Zero(t, test.at, "nothing was too much")
		})
	}
}

// TestOnlyMemoryQuarantines: a plugin that spins is replaced however often that is.
func TestOnlyMemoryQuarantines(t *testing.T) {
	t.Parallel()
	for limit, quarantined := range map[string]bool{limitMemory: true, limitCPU: false} {
		opts := Options{Timing: Timing{MaxExits: 2}}.withDefaults()
		s := newSupervisor(host.KindTarget, "x", &launcher{opts: opts}, newMetrics(nil))
		givenUp := false
		for range 5 {
			p := &process{osProcess: &osProcess{}}
			s.replaceFor(p, excess{limit: limit, reason: "it takes all"})
			givenUp = givenUp || p.fault.Load() != nil
		}
		require.Equal(t, quarantined, givenUp, limit)
	}
}
