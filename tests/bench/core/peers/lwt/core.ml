(* Lwt, for OCaml.  What it allocates are words of the minor heap, so it does not count them. *)

open Lwt.Infix

let chain_length = 1000
let kept = ref 0

(* [cost_of run n] is the CPU time of [run n], in nanoseconds. *)
let cost_of run n =
  let before = Sys.time () in
  run n;
  (Sys.time () -. before) *. 1e9

(* [measure config run] prints the CPU time of one of the [n] operations that [run n] performs. *)
let measure config run =
  let enough = 3e7 in
  let rec find n = if cost_of run n < enough then find (2 * n) else n in
  let n = find 1000 in
  let costs = Array.init 5 (fun _ -> cost_of run n) in
  Array.sort compare costs;
  Printf.printf "{\"config\":\"%s\",\"peer\":\"Lwt\",\"ns\":%.3f,\"allocations\":null}\n%!" config
    (costs.(2) /. float n)

let times n f = for _ = 1 to n do f () done

let take promise =
  match Lwt.state promise with
  | Lwt.Return x -> kept := x
  | Lwt.Fail _ | Lwt.Sleep -> failwith "not determined"

let add_one x = x + 1
let ready () = Lwt.return (Sys.opaque_identity 1)

(* [link] makes each promise of the chain out of the one before. *)
let chain link n =
  times (n / chain_length) (fun () ->
      let first, fill = Lwt.wait () in
      let last = ref first in
      times chain_length (fun () -> last := link !last);
      Lwt.wakeup_later fill 1;
      take !last)

(* [filled f] is what [f] makes of a promise, which is then filled. *)
let filled f =
  let promise, fill = Lwt.wait () in
  let result = f promise in
  Lwt.wakeup_later fill 1;
  take result

let rec recurse n = if n = 0 then Lwt.return_unit else Lwt.return_unit >>= fun () -> recurse (n - 1)
let rec await_ready n =
  if n = 0 then Lwt.return_unit
  else
    ready () >>= fun x ->
    kept := x;
    await_ready (n - 1)
let rec turns n = if n = 0 then Lwt.return_unit else Lwt.pause () >>= fun () -> turns (n - 1)
let caught f = Lwt.catch f (fun _ -> Lwt.return 0)

(* A promise that loses is cancelled by [Lwt.pick], so each race has one of its own. *)
let never () = fst (Lwt.task ())

let () =
  measure "map, determined" (fun n -> times n (fun () -> take (Lwt.map add_one (ready ()))));
  measure "fill to continuation" (fun n -> times n (fun () -> filled (Lwt.map add_one)));
  measure "link in a chain of 1,000 maps" (chain (Lwt.map add_one));
  measure "link in a chain of 1,000 binds" (chain (fun p -> p >>= fun x -> Lwt.return (x + 1)));
  measure "await a ready coroutine" (fun n -> Lwt_main.run (await_ready n));
  measure "turn of the queue" (fun n -> Lwt_main.run (turns n));
  measure "choose of two, one ready" (fun n -> times n (fun () -> take (Lwt.pick [ ready (); never () ])));
  measure "choose of two, waiting" (fun n -> times n (fun () -> filled (fun p -> Lwt.pick [ p; never () ])));
  measure "try_with, ready" (fun n -> times n (fun () -> take (caught ready)));
  measure "try_with, waiting" (fun n -> times n (fun () -> filled (fun p -> caught (fun () -> p))));
  measure "recursive bind, a turn" (fun n -> Lwt_main.run (recurse n));
  (* Others wait as well, as in a server. *)
  let others = List.init 1000 (fun i -> Lwt_unix.sleep (3600. +. float i)) in
  measure "timer added and aborted" (fun n ->
      times n (fun () ->
          let timer = Lwt_unix.sleep 1800. in
          Lwt.on_failure timer ignore;
          Lwt.cancel timer));
  measure "with_timeout, ready" (fun n ->
      times n (fun () -> take (Lwt_unix.with_timeout 10. ready)));
  measure "with_timeout, waiting" (fun n ->
      times n (fun () -> filled (fun p -> Lwt_unix.with_timeout 10. (fun () -> p))));
  ignore (Sys.opaque_identity others)
