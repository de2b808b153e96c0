// SPDX-License-Identifier: BSL-1.0

// sync_go channel THREADS PAIRS CAPACITY ITEMS: items through one channel from so many senders to as
// many receivers; prints the nanoseconds of one.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

func main() {
	if len(os.Args) != 6 || os.Args[1] != "channel" {
		fmt.Fprintln(os.Stderr, "usage: sync_go channel THREADS PAIRS CAPACITY ITEMS")
		os.Exit(2)
	}
	var numbers [4]int
	for i := range numbers {
		n, err := strconv.Atoi(os.Args[i+2])
		if err != nil {
			fmt.Fprintln(os.Stderr, "sync_go:", err)
			os.Exit(2)
		}
		numbers[i] = n
	}
	threads, pairs, capacity, items := numbers[0], numbers[1], numbers[2], numbers[3]
	runtime.GOMAXPROCS(threads)
	channel := make(chan int, capacity)
	each := items / pairs
	sums := make([]int, pairs)
	var all sync.WaitGroup
	all.Add(2 * pairs)
	start := time.Now()
	for p := 0; p < pairs; p++ {
		go func() {
			for i := 0; i < each; i++ {
				channel <- i
			}
			all.Done()
		}()
		go func(p int) {
			sum := 0
			for i := 0; i < each; i++ {
				sum += <-channel
			}
			sums[p] = sum
			all.Done()
		}(p)
	}
	all.Wait()
	took := time.Since(start)
	sum := 0
	for _, s := range sums {
		sum += s
	}
	if sum != pairs*(each*(each-1)/2) {
		fmt.Fprintln(os.Stderr, "sync_go: the sum is wrong")
		os.Exit(1)
	}
	fmt.Printf("RESULT ns=%.3f\n", float64(took.Nanoseconds())/float64(each*pairs))
}
