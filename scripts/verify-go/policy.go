package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const noQuorum = "none"

// policy says whom a verifier trusts (C2SP tlog-policy): logs, witnesses, and which of the witnesses are enough.
type policy struct {
	logs      []note.Verifier
	witnesses []witness
	groups    []group
	quorum    string
}

// witness is named by the policy; the key has a name of its own.
type witness struct {
	name string
	key  cosigner
}

// group counts as one once so many of its members do. Members are defined on lines before.
type group struct {
	name      string
	threshold int
	members   []string
}

// isMetBy tells whether the witnesses with these names are a quorum.
func (p *policy) isMetBy(cosigned map[string]bool) bool {
	if p.quorum == noQuorum {
		return true
	}
	counted := make(map[string]bool)
	for name := range cosigned {
		counted[name] = true
	}
	for _, each := range p.groups {
		present := 0
		for _, member := range each.members {
			if counted[member] {
				present++
			}
		}
		counted[each.name] = present >= each.threshold
	}
	return counted[p.quorum]
}

// parsePolicy reads a policy file. A line that it does not understand is refused: what it asks for would not be asked.
func parsePolicy(data []byte) (*policy, error) {
	for _, octet := range data {
		if octet < 0x20 && octet != '\t' && octet != '\n' || octet == 0x7f {
			return nil, errors.New("a policy is text without control characters other than tab and newline")
		}
	}
	lines, err := linesOf(string(data))
	if err != nil {
		return nil, fmt.Errorf("the policy may have been cut short: %w", err)
	}
	reading := policyReading{logs: make(map[string]bool), defined: make(map[string]bool), grouped: make(map[string]bool)}
	for number, line := range lines {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := reading.take(words[0], words[1:]); err != nil {
			return nil, fmt.Errorf("line %d of the policy: %w", number+1, err)
		}
	}
	if reading.policy.quorum == "" {
		return nil, errors.New("the policy has no quorum line")
	}
	return &reading.policy, nil
}

// policyReading is a policy as far as it has been read: the keys of logs and the names so far, and the names in a group already.
type policyReading struct {
	policy  policy
	logs    map[string]bool
	defined map[string]bool
	grouped map[string]bool
}

func (r *policyReading) take(kind string, words []string) error {
	switch {
	case kind == "log" && (len(words) == 1 || len(words) == 2):
		return r.log(words[0])
	case kind == "witness" && (len(words) == 2 || len(words) == 3):
		return r.witness(words[0], words[1])
	case kind == "group" && len(words) >= 3:
		return r.group(words[0], words[1], words[2:])
	case kind == "quorum" && len(words) == 1:
		return r.quorum(words[0])
	}
	return fmt.Errorf("it is no line log, witness, group or quorum of the format")
}

func (r *policyReading) log(vkey string) error {
	key, err := logKey(vkey)
	if err != nil {
		return err
	}
	_, _, public, err := vkeyOf(vkey, typeEd25519)
	if r.logs[string(public)] {
		return errors.New("this log's key is listed twice")
	}
	r.logs[string(public)] = true
	r.policy.logs = append(r.policy.logs, key)
	return err
}

func (r *policyReading) witness(name, vkey string) error {
	key, err := cosignerKey(vkey)
	if err != nil {
		return err
	}
	for _, other := range r.policy.witnesses {
		if other.key.public.Equal(key.public) {
			return errors.New("this witness's key is listed twice; it would count twice")
		}
	}
	r.policy.witnesses = append(r.policy.witnesses, witness{name, key})
	return r.define(name)
}

func (r *policyReading) group(name, threshold string, members []string) error {
	for _, member := range members {
		if !r.defined[member] {
			return fmt.Errorf("%q is not defined on a line before", member)
		}
		if r.grouped[member] {
			return fmt.Errorf("%q is a member already, and counts once", member)
		}
		r.grouped[member] = true
	}
	count := 0
	switch threshold {
	case "any":
		count = 1
	case "all":
		count = len(members)
	default:
		var err error
		if count, err = strconv.Atoi(threshold); err != nil || strconv.Itoa(count) != threshold {
			return fmt.Errorf("%q is neither any, all nor a number", threshold)
		}
	}
	if count < 1 || count > len(members) {
		return fmt.Errorf("a group of %d cannot ask for %d of them", len(members), count)
	}
	r.policy.groups = append(r.policy.groups, group{name, count, members})
	return r.define(name)
}

func (r *policyReading) quorum(name string) error {
	if r.policy.quorum != "" {
		return errors.New("there is a quorum line already")
	}
	if name != noQuorum && !r.defined[name] {
		return fmt.Errorf("%q is not defined on a line before", name)
	}
	r.policy.quorum = name
	return nil
}

func (r *policyReading) define(name string) error {
	if name == noQuorum || r.defined[name] {
		return fmt.Errorf("%q is defined already", name)
	}
	r.defined[name] = true
	return nil
}
