package main

import (
	"fmt"
	"strings"
)

// refusal is one sentence about what does not hold. rule is that of docs/packs.md, 0 where no pack is checked; position is
// that of an entry in the log, 0 where none is meant.
type refusal struct {
	rule     int
	file     string
	position int64
	says     string
}

func (r refusal) Error() string {
	var where []string
	if r.rule > 0 {
		where = append(where, fmt.Sprintf("rule %d", r.rule))
	}
	if r.file != "" {
		where = append(where, r.file)
	}
	if r.position > 0 {
		where = append(where, fmt.Sprintf("position %d", r.position))
	}
	return strings.Join(where, ", ") + ": " + r.says
}

// refusals is all that does not hold; as an error it has at least one.
type refusals []refusal

// maxShown refusals are printed: a pack whose every entry is wrong is as wrong with the first hundred.
const maxShown = 100

func (r refusals) Error() string {
	var text strings.Builder
	for i, each := range r {
		if i == maxShown {
			fmt.Fprintf(&text, "refused: and %d more\n", len(r)-maxShown)
			break
		}
		fmt.Fprintf(&text, "refused: %s\n", each.Error())
	}
	return text.String()
}

// refuse makes a refusal of a whole file.
func refuse(rule int, file, format string, arguments ...any) refusal {
	return refusal{rule: rule, file: file, says: fmt.Sprintf(format, arguments...)}
}

// at is the same refusal, for the entry at a position.
func (r refusal) at(position int64) refusal {
	r.position = position
	return r
}

// asRefusal is an error about something in a file as a refusal, and nil as nil.
func asRefusal(file string, err error) error {
	if err == nil {
		return nil
	}
	return refusals{{file: file, says: err.Error()}}
}
