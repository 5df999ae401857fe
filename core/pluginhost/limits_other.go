//go:build !linux

package pluginhost

import "time"

// What processes take is not looked at here.

type procStat struct{}

type endedOrphans struct{}

func (*endedOrphans) look(time.Time, []procStat) {}

func orphans(func(pid int) bool) []procStat { return nil }

func adoptOrphans() error { return nil }

type descendants struct{}

func (*descendants) sweep(int, string, func(int) bool) {}

func (p *osProcess) rememberDescendants() {}

func (p *osProcess) measure(func() []procStat) (usage, bool) { return usage{}, false }

func residentMemory(int) int64 { return 0 }

// setLimits bounds nothing.
func setLimits(int) error { return nil }
